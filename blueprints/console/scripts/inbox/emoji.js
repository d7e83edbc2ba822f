// A small set of emoji that people really use, by theme; the system's own picker has the rest.
import { html, useState } from '../ui.js';
import { remember, remembered } from '../remembering.js';
import { t } from '../words.js';

const SETS = {
  faces: '😀 😃 😄 😁 😆 😅 😂 🙂 😉 😊 😇 🥰 😍 😘 😋 😜 🤗 🤔 🤨 😐 😏 🙄 😬 😌 😔 😴 😷 🤒 🤧 🥳 😎 🤓 😕 😟 😮 😳 🥺 😢 😭 😱 😤 😡 🤯 🤝',
  hands: '👍 👎 👌 ✌️ 🤞 🤙 👋 🙌 👏 🙏 💪 👀 🫶 ❤️ 🧡 💛 💚 💙 💜 🖤 💔 💯 ✨ 🔥 ⭐ 🎉 🎁',
  things: '✅ ❌ ⚠️ ❗ ❓ ➡️ 📌 📍 📞 📱 💬 📧 📅 ⏰ ⏳ 📦 🚚 🛵 🛒 💳 💰 🧾 📄 📎 🔗 🔒 🔑 🔧 💡 📸 🏠 🏢 🏥 ✈️ 🚗',
  nature: '☀️ ☁️ 🌧️ ⛈️ ❄️ 🌈 🌙 🌍 🌵 🌻 🌹 🍀 🐝 🍯 🐶 🐱 🍎 🍓 🍋 🥑 🍕 🍔 🌮 🍰 ☕ 🍺 🍷 🎂',
};

export function EmojiPicker({ onPick }) {
  const [recent] = useState(() => remembered('emoji', []));
  const pick = (emoji) => {
    remember('emoji', [emoji, ...recent.filter((one) => one !== emoji)].slice(0, 16));
    onPick(emoji);
  };
  const sets = [...(recent.length ? [['recent', recent]] : []), ...Object.entries(SETS).map(([name, text]) => [name, text.split(' ')])];
  return html`<div class="emoji">${sets.map(([name, list]) => html`<section key=${name}><h3>${t(`emoji.${name}`)}</h3><div>${list.map((emoji) => html`<button key=${emoji} type="button" onClick=${() => pick(emoji)}>${emoji}</button>`)}</div></section>`)}</div>`;
}
