// The customer's side, played by you: a phone of the sandbox beside the inbox.
import { cx, html, useEffect, useLayoutEffect, useRef, useState, useStore } from './ui.js';
import { get, post, put } from './api.js';
import { onEvent } from './live.js';
import { phone } from './phone_state.js';
import { remember } from './remembering.js';
import { may } from './session.js';
import { Avatar, Icon, Mark } from './icons.js';
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

function Chooser({ waId, name, isOnline }) {
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
  return html`<${Popover} class="chooser" button=${(popover) => html`<button type="button" class="phone-chooser" aria-expanded=${popover['aria-expanded']} onClick=${() => { load(); popover.toggle(); }}>
      <${Avatar} name=${name || `+${waId}`} size=${38} /><span class="chosen-customer"><strong><span class="visually-hidden">${t('phone.choose')}: </span>${name || t('customer')}</strong><small><i class=${cx('presence', { on: isOnline })} aria-hidden="true"></i>+${waId}</small></span><${Icon} name="down" size=${16} /></button>`}>
    ${(close) => html`<div class="menu phones"><p class="menu-title">${t('phone.choose')}</p><ul>${phones.map((one) => html`<li key=${one.wa_id}><button type="button" class=${cx('menu-item', { chosen: one.wa_id === waId })} onClick=${() => { choose(one.wa_id); close(); }}>${one.name ? html`<span class="phones-name">${one.name}</span>` : null}<span class=${cx({ muted: one.name })}>+${one.wa_id}</span><small>${one.received + one.written}</small></button></li>`)}</ul>
      <form class="inline" onSubmit=${add(close)}><input inputmode="tel" value=${text} placeholder="+1 650 555 0100" aria-label=${t('phone.add')} onInput=${(event) => setText(event.target.value)} /><${Button} icon="plus" small type="submit" label=${t('phone.add')} /></form></div>`}<//>`;
}

/** What stands at the top of every phone: the time, and how well it is connected. */
const StatusBar = ({ isOnline }) => html`<div class="phone-status" aria-hidden="true"><span>${clock(Date.now())}</span><span class="island"></span><span class="phone-signs">
  <svg width="17" height="12" viewBox="0 0 17 12"><g fill="currentColor" opacity=${isOnline ? 1 : 0.3}><rect x="0" y="8" width="3" height="4" rx="1" /><rect x="4.600" y="5.500" width="3" height="6.500" rx="1" /><rect x="9.200" y="3" width="3" height="9" rx="1" /><rect x="13.800" y="0" width="3" height="12" rx="1" /></g></svg>
  ${isOnline ? html`<svg width="16" height="12" viewBox="0 0 16 12" fill="none" stroke="currentColor" stroke-width="1.800" stroke-linecap="round"><path d="M1 4.200a10 10 0 0 1 14 0M3.500 7a6.500 6.500 0 0 1 9 0M6 9.700a3 3 0 0 1 4 0" /></svg>` : html`<${Icon} name="block" size=${13} />`}
  <svg width="25" height="12" viewBox="0 0 25 12"><rect x="0.500" y="0.500" width="21" height="11" rx="3" fill="none" stroke="currentColor" opacity="0.5" /><rect x="2" y="2" width="15" height="8" rx="1.800" fill="currentColor" /><path d="M23 4v4c1-.3 1.600-1 1.600-2S24 4.300 23 4z" fill="currentColor" opacity="0.5" /></svg></span></div>`;

function useBusiness() {
  const [name, setName] = useState(null);
  useEffect(() => { if (may('numbers')) get('/v1/numbers').then((found) => setName(found.data[0] ? `+${found.data[0].display_phone_number}` : null), () => {}); }, []);
  return name;
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
  const business = useBusiness();
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
  const quick = [
    ['image', t('phone.picture'), { type: 'image', image: { caption: t('phone.picture.caption') } }],
    ['mic', t('phone.voice'), { type: 'audio', audio: {} }],
    ['pin', t('phone.location'), { type: 'location', location: { latitude: 19.4326, longitude: -99.1332, name: 'Zócalo' } }],
    ['block', t('phone.stop'), { type: 'text', text: { body: t('phone.stop.word') } }],
  ];
  const shown = messages.filter((one) => one.type !== 'reaction');
  return html`<div class="phone-panel"><header class="panel-head"><h2>${t('phone.title')}</h2><${Button} icon="close" kind="quiet" label=${t('close')} onClick=${onClose} /></header>
    <div class="phone-who"><${Chooser} waId=${waId} name=${card.name} isOnline=${isOnline} /><${Button} icon="more" kind=${cx('quiet', { on: areHabitsOpen })} label=${t('phone.habits')} aria-expanded=${areHabitsOpen ? 'true' : 'false'} onClick=${() => setHabits(!areHabitsOpen)} /></div>
    ${areHabitsOpen && html`<${Habits} card=${card} change=${change} />`}
    <div class=${cx('phone-case', { off: !isOnline })}><div class="phone-glass"><${StatusBar} isOnline=${isOnline} />
      <div class="phone-app"><${Icon} name="back" size=${18} /><span class="phone-face"><${Mark} size=${22} /></span><span><strong>${business ?? t('phone.business')}</strong><small>${t('phone.business.kind')}</small></span></div>
      ${!isOnline && html`<p class="phone-state"><${Icon} name="online" size=${15} />${t('phone.offline')}</p>`}${card.blocked && html`<p class="phone-state bad"><${Icon} name="block" size=${15} />${t('phone.has_blocked')}</p>`}
      <div class="phone-screen" ref=${box} tabindex="0" role="log" aria-label=${t('phone.screen')}>
        ${shown.length === 0 && html`<p class="phone-empty">${t('phone.empty')}</p>`}
        ${shown.map((message) => html`<${Bubble} key=${message.wamid} message=${message} messages=${messages} catalogue=${catalogue} onPress=${(press) => write({ type: 'press', press: { message_id: message.wamid, title: press.title } })} />`)}</div>
      <div class="phone-quick">${quick.map(([icon, words, message]) => html`<button key=${icon} type="button" onClick=${() => write(message)}><${Icon} name=${icon} size=${18} />${words}</button>`)}</div>
      <form class="phone-compose" onSubmit=${submit}><input value=${text} placeholder=${t('phone.write')} aria-label=${t('phone.write')} onInput=${(event) => setText(event.target.value)} /><${Button} icon="send" kind="primary round" type="submit" label=${t('phone.send')} /></form>
      <span class="phone-home" aria-hidden="true"></span></div></div></div>`;
}
