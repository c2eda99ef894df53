import assert from "node:assert/strict";
import { test } from "node:test";
import { translator } from "../../static/web/player-strings.js";

const translate = translator({
  play: "پخش",
  "playback rate": "سرعت پخش",
  of: "از",
  enter: "ورود",
  "enter fullscreen mode": "تمام‌صفحه",
});

test("phrases are replaced whatever their case, the longest first", () => {
  assert.equal(translate("Play"), "پخش");
  assert.equal(translate("enter fullscreen mode"), "تمام‌صفحه");
  assert.equal(translate("1:02 of 3:04"), "1:02 از 3:04");
});

test("only whole words are replaced, and a translation is not translated again", () => {
  assert.equal(translate("Reenter"), "Reenter");
  assert.equal(translate("Player"), "Player");
  assert.equal(translate(translate("Playback rate")), "سرعت پخش");
});

test("a playback rate at the end is written with an x, also on an English page", () => {
  assert.equal(translate("playback rate 1.5"), "سرعت پخش 1.5x");
  assert.equal(translator({})("playback rate 2"), "playback rate 2x");
});

test("without translations everything else stays", () => {
  assert.equal(translator({})("Play"), "Play");
});
