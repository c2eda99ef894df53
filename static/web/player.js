// The player's controls speak the language of the page: their own words are English, the page brings what to say.

import { make } from "web/dom";

const SPOKEN = ["aria-label", "aria-valuetext", "aria-description"];

/** `data-words` of a player: what is said in place of each English phrase; none where the page is English. */
export function speak(root) {
  for (const player of root.querySelectorAll("media-controller")) {
    const say = translator(JSON.parse(player.dataset.words || "{}"));
    for (const control of [player, ...player.querySelectorAll("media-control-bar > *")]) teach(control, say);
  }
}

function translator(words) {
  const phrases = Object.keys(words).sort((a, b) => b.length - a.length);
  const pattern = phrases.length ? new RegExp(`\\b(?:${phrases.join("|")})\\b`, "gi") : /(?!)/;
  // “1x”, as the button for the speed shows it.
  return (text) => text.replace(pattern, (phrase) => words[phrase.toLowerCase()]).replace(/ ([\d.]+)$/, " $1x");
}

/** What is said of a control changes with its state. A range says it of a field within, and tooltips have slots. */
async function teach(control, say) {
  await customElements.whenDefined(control.localName);
  if (control.ariaChecked) control.role = "switch"; // a button that is checked, as they have it, there is not
  const field = control.shadowRoot.querySelector("input");
  for (const element of field ? [control, field] : [control]) {
    const hear = () => SPOKEN.forEach((name) => replace(element, name, say));
    new MutationObserver(hear).observe(element, { attributeFilter: SPOKEN });
    hear();
  }
  for (const slot of control.shadowRoot.querySelectorAll("slot[name^=tooltip-]:not(:has(*))")) {
    control.append(make("span", { slot: slot.name }, say(slot.textContent.trim())));
  }
}

function replace(element, name, say) {
  const text = element.getAttribute(name);
  if (text && say(text) !== text) element.setAttribute(name, say(text));
}
