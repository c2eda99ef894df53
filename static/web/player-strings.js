// The player's controls in the language of the page: media-chrome speaks English, the page brings the translations.

import { findAll, make } from "./dom.js";

const SPOKEN = ["aria-label", "aria-valuetext", "aria-description"];

/**
 * Translate each player below `root` by its `data-words`: translations by English phrase; none on an English page.
 * @param {ParentNode} root
 */
export function translatePlayers(root) {
  for (const player of findAll(root, "media-controller")) {
    const translate = translator(JSON.parse(player.dataset.words || "{}"));
    for (const control of [player, ...findAll(player, "media-control-bar > *")]) translateControl(control, translate);
  }
}

/**
 * A function that replaces known phrases in a text, the longest first, and writes the playback rate as “1.5x”.
 * @param {Record<string, string>} words  by phrase in lower case
 * @returns {(text: string) => string}
 */
export function translator(words) {
  const phrases = Object.keys(words).sort((a, b) => b.length - a.length);
  const pattern = phrases.length ? new RegExp(`\\b(?:${phrases.join("|")})\\b`, "gi") : /(?!)/;
  return (text) => text.replace(pattern, (phrase) => words[phrase.toLowerCase()]).replace(/ ([\d.]+)$/, " $1x");
}

/**
 * Labels change with the state of a control. A range has them on an inner input; tooltips are slots.
 * @param {HTMLElement} control
 * @param {(text: string) => string} translate
 */
async function translateControl(control, translate) {
  await customElements.whenDefined(control.localName);
  if (control.ariaChecked) control.role = "switch"; // media-chrome says "checked" of a button, which ARIA does not allow
  const root = control.shadowRoot;
  if (!root) return;
  const input = root.querySelector("input");
  for (const element of input ? [control, input] : [control]) {
    const update = () => {
      for (const name of SPOKEN) translateAttribute(element, name, translate);
    };
    new MutationObserver(update).observe(element, { attributeFilter: SPOKEN });
    update();
  }
  for (const slot of root.querySelectorAll("slot[name^=tooltip-]:not(:has(*))")) {
    control.append(make("span", { slot: slot.getAttribute("name") ?? "" }, translate(slot.textContent?.trim() ?? "")));
  }
}

/**
 * @param {Element} element
 * @param {string} name
 * @param {(text: string) => string} translate
 */
function translateAttribute(element, name, translate) {
  const text = element.getAttribute(name);
  if (text && translate(text) !== text) element.setAttribute(name, translate(text));
}
