// The customer's side, played by you: a phone of the sandbox beside the inbox.
import { cx, html, useEffect, useLayoutEffect, useRef, useState, useStore } from './ui.js';
import { get, post, put } from './api.js';
import { onEvent } from './live.js';
import { phone } from './phone_state.js';
import { remember } from './remembering.js';
import { Icon } from './icons.js';
import { Button, Field, Popover, Toggle, failed } from './widgets.js';
import { Content, brief } from './inbox/content.js';
import { useCatalogue } from './inbox/catalogue.js';
import { clock, t } from './words.js';

const ROOT = '/console/sandbox/phones';
const SLOW_MS = 4_000;
const mediaUrl = (medium) => (medium?.id ? `/console/sandbox/media/${encodeURIComponent(medium.id)}` : medium?.link);

function usePhone(waId) {
  const [state, setState] = useState({ messages: [], card: {} });
  const turn = useRef(0);
  const look = async () => {
    const mine = (turn.current += 1);
    try {
      const [messages, card] = await Promise.all([get(`${ROOT}/${waId}/messages?limit=200`), get(`${ROOT}/${waId}`)]);
      if (mine === turn.current) setState({ messages, card });
    } catch {
      // The sandbox may be starting; the next look finds it.
    }
  };
  useEffect(() => {
    setState({ messages: [], card: {} });
    look();
    let timer;
    const soon = () => { clearTimeout(timer); timer = setTimeout(look, 60); };
    const stop = onEvent((event) => (event === null || event.data.to === waId || event.data.from === waId) && soon());
    const slow = setInterval(() => document.hidden || look(), SLOW_MS);
    return () => { stop(); clearInterval(slow); clearTimeout(timer); turn.current += 1; };
  }, [waId]);
  return { ...state, look };
}

function Chooser({ waId }) {
  const [phones, setPhones] = useState([]);
  const [text, setText] = useState('');
  const load = () => get(ROOT).then((found) => setPhones(found.filter((one) => one.wa_id !== '*').reverse()), failed);
  const choose = (chosen) => { phone.set({ chosen }); remember('customer', chosen); };
  const add = (close) => (event) => {
    event.preventDefault();
    const digits = text.replace(/\D/g, '');
    if (digits.length < 7 || digits.length > 15) return;
    choose(digits);
    close();
  };
  return html`<${Popover} class="chooser" button=${(popover) => html`<button type="button" class="phone-chooser" aria-expanded=${popover['aria-expanded']} onClick=${() => { load(); popover.toggle(); }}><span class="visually-hidden">${t('phone.choose')}: </span>+${waId}<${Icon} name="down" size=${14} /></button>`}>
    ${(close) => html`<div class="menu phones"><p class="menu-title">${t('phone.choose')}</p><ul>${phones.map((one) => html`<li key=${one.wa_id}><button type="button" class=${cx('menu-item', { chosen: one.wa_id === waId })} onClick=${() => { choose(one.wa_id); close(); }}>+${one.wa_id}<small>${one.received + one.written}</small></button></li>`)}</ul>
      <form class="inline" onSubmit=${add(close)}><input inputmode="tel" value=${text} placeholder="+1 650 555 0100" aria-label=${t('phone.add')} onInput=${(event) => setText(event.target.value)} /><${Button} icon="plus" small type="submit" label=${t('phone.add')} /></form></div>`}<//>`;
}

function Habits({ card, change }) {
  const [name, setName] = useState(card.name ?? '');
  useEffect(() => setName(card.name ?? ''), [card.wa_id, card.name]);
  return html`<div class="habits"><${Field} label=${t('phone.name')} value=${name} onInput=${(event) => setName(event.target.value)} onBlur=${() => name !== (card.name ?? '') && change({ name: name || null })} />
    <${Toggle} label=${t('phone.online')} isOn=${card.online !== false} onChange=${(online) => change({ online })} />
    <${Toggle} label=${t('phone.reads')} isOn=${card.reads !== false} onChange=${(reads) => change({ reads })} />
    <${Toggle} label=${t('phone.blocked')} isOn=${card.blocked === true} onChange=${(blocked) => change({ blocked })} />
    <${Field} label=${t('phone.window')} kind="select" value=${card.window ?? 'open'} onChange=${(event) => change({ window: event.target.value })} options=${['open', 'closed', 'auto'].map((one) => [one, t(`phone.window.${one}`)])} />
    <${Field} label=${t('phone.delay')} kind="number" min="0" max="60000" step="100" value=${card.delay_ms ?? 0} onChange=${(event) => change({ delay_ms: Number(event.target.value) || 0 })} /></div>`;
}

function Bubble({ message, messages, catalogue, onPress }) {
  const isMine = message.direction === 'out';
  const quoted = message.context?.message_id && messages.find((one) => one.wamid === message.context.message_id);
  return html`<div class=${cx('bubble-line', isMine ? 'out' : 'in')}><div class="bubble-box"><div class=${`bubble kind-${message.type}`}>
    ${quoted && html`<p class="quote">${brief(quoted)}</p>`}
    <${Content} message=${message} catalogue=${catalogue} urlOf=${mediaUrl} onPress=${isMine ? undefined : onPress} />
    <span class="bubble-foot"><time datetime=${message.at}>${clock(message.at)}</time></span></div></div></div>`;
}

export function Phone({ onClose }) {
  const waId = useStore(phone, (state) => state.chosen);
  const { messages, card, look } = usePhone(waId);
  const catalogue = useCatalogue();
  const [text, setText] = useState('');
  const [areHabitsOpen, setHabits] = useState(false);
  const box = useRef();
  const isOnline = card.online !== false;
  useLayoutEffect(() => { box.current.scrollTop = box.current.scrollHeight; }, [messages.length, waId, areHabitsOpen]);
  const write = (message) => post(`${ROOT}/${waId}/messages`, message).then(look, failed);
  const change = (habits) => put(`${ROOT}/${waId}`, habits).then(look, failed);
  const submit = (event) => {
    event.preventDefault();
    if (!text.trim()) return;
    write({ type: 'text', text: { body: text.trim() } });
    setText('');
  };
  const shown = messages.filter((one) => one.type !== 'reaction');
  return html`<div class="phone-panel"><header class="panel-head"><h2>${t('phone.title')}</h2><${Button} icon="close" kind="quiet" label=${t('close')} onClick=${onClose} /></header>
    <div class="phone-case"><div class="phone-top"><span class=${cx('presence', { on: isOnline })} aria-hidden="true"></span><${Chooser} waId=${waId} /><${Button} icon="more" kind="quiet" small label=${t('phone.habits')} aria-expanded=${areHabitsOpen ? 'true' : 'false'} onClick=${() => setHabits(!areHabitsOpen)} /></div>
      ${areHabitsOpen && html`<${Habits} card=${card} change=${change} />`}
      ${!isOnline && html`<p class="phone-state"><${Icon} name="online" size=${15} />${t('phone.offline')}</p>`}${card.blocked && html`<p class="phone-state bad"><${Icon} name="block" size=${15} />${t('phone.has_blocked')}</p>`}
      <div class="phone-screen" ref=${box} tabindex="0" role="log" aria-label=${t('phone.screen')}>
        ${shown.length === 0 && html`<p class="phone-empty">${t('phone.empty')}</p>`}
        ${shown.map((message) => html`<${Bubble} key=${message.wamid} message=${message} messages=${messages} catalogue=${catalogue} onPress=${(press) => write({ type: 'press', press: { message_id: message.wamid, title: press.title } })} />`)}</div>
      <div class="phone-quick"><button type="button" class="chip" onClick=${() => write({ type: 'image', image: { caption: t('phone.picture.caption') } })}><${Icon} name="image" size=${15} />${t('phone.picture')}</button>
        <button type="button" class="chip" onClick=${() => write({ type: 'audio', audio: {} })}><${Icon} name="mic" size=${15} />${t('phone.voice')}</button>
        <button type="button" class="chip" onClick=${() => write({ type: 'location', location: { latitude: 19.4326, longitude: -99.1332, name: 'Zócalo' } })}><${Icon} name="pin" size=${15} />${t('phone.location')}</button>
        <button type="button" class="chip" onClick=${() => write({ type: 'text', text: { body: t('phone.stop.word') } })}><${Icon} name="block" size=${15} />${t('phone.stop')}</button></div>
      <form class="phone-compose" onSubmit=${submit}><input value=${text} placeholder=${t('phone.write')} aria-label=${t('phone.write')} onInput=${(event) => setText(event.target.value)} /><${Button} icon="send" kind="primary round" type="submit" label=${t('phone.send')} /></form></div></div>`;
}
