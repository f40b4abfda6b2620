/** Desktop notifications and the sound; both only where the user asked for them. */

import { me } from "./api.js";
import { preference } from "./store.js";
import { burst, frames } from "./topics.js";
import { t } from "./words.js";

let waiting = [];
let off = null;

/** Begins to tell of new notifications. */
export function start() {
  off ??= frames.on(({ type, data }) => {
    if (type !== "notification.created" || !data.notification || !me) return;
    const { conversation_id } = data.notification;
    const seen = document.visibilityState === "visible" && conversation_id && location.hash.includes(conversation_id);
    if (seen) return;
    waiting.push(data.notification);
    tell();
  });
}

/** One for a burst, and one tab of all. */
const tell = burst(async () => {
  const [first, ...others] = waiting;
  waiting = [];
  if (!first) return;
  await mine(async () => {
    if (preference("sound", false)) ring();
    if (!preference("desktop", false) || Notification?.permission !== "granted") return;
    const notice = new Notification(first.title, { body: others.length ? t("bell.more", others.length) : first.body ?? "", tag: "alfred", icon: "/web/icon.svg" });
    notice.onclick = () => {
      window.focus();
      location.hash = others.length || !first.conversation_id ? "#/notifications" : `#/inbox/${first.conversation_id}`;
    };
  });
}, 2000, 2500, true);

/** Runs in the first tab that asks. */
const mine = (run) => (navigator.locks ? navigator.locks.request("alfred-bell", { ifAvailable: true }, (lock) => lock && Promise.all([run(), new Promise((go) => setTimeout(go, 1000))])) : run());

/** Two soft tones. */
export function ring() {
  const audio = new AudioContext();
  const loud = audio.createGain();
  loud.gain.value = (preference("volume", 40) / 100) * 0.2;
  loud.connect(audio.destination);
  [660, 880].forEach((pitch, place) => {
    const tone = audio.createOscillator();
    tone.frequency.value = pitch;
    tone.connect(loud);
    tone.start(audio.currentTime + place * 0.14);
    tone.stop(audio.currentTime + place * 0.14 + 0.12);
  });
  setTimeout(() => audio.close(), 600);
}
