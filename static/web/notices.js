// A notification of the browser when a job is done while its page is out of sight, for those who want it here.

const KEY = "notices";
// Phones freeze hidden pages, and where they do not, they want a service worker: there a letter is the way.
const possible = "Notification" in window && isSecureContext && !matchMedia("(pointer: coarse)").matches;

/** Show the control `place`, a box to be ticked, where the person can still decide. The browser is asked on a click. */
export function offer(place) {
  if (!possible || Notification.permission === "denied") return;
  const box = place.querySelector("input");
  box.checked = wanted();
  place.hidden = false;
  box.addEventListener("change", async () => {
    const granted = box.checked && (await Notification.requestPermission()) === "granted";
    box.checked = granted;
    remember(granted);
    place.hidden = Notification.permission === "denied";
  });
}

/** What there is to be told of a job whose state has changed, if nobody sees the page. */
export function tell({ id, news, error }) {
  if (!news || !document.hidden || !possible || !wanted()) return;
  const notice = new Notification(news, { body: error, tag: id, lang: document.documentElement.lang });
  notice.onclick = () => {
    window.focus();
    notice.close();
  };
}

function wanted() {
  return Notification.permission === "granted" && recall() === "yes";
}

function remember(yes) {
  try {
    yes ? localStorage.setItem(KEY, "yes") : localStorage.removeItem(KEY);
  } catch {
    // A private window: it holds for no other page.
  }
}

function recall() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
