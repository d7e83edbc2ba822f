// One message as people see it, and what can be done with it.
import { cx, html } from '../ui.js';
import { Icon } from '../icons.js';
import { Button, Popover, copy, failed, toast } from '../widgets.js';
import { api, post } from '../api.js';
import { failureOf, heldWords } from '../failures.js';
import { discard, submit } from './thread_state.js';
import { Content, brief } from './content.js';
import { Ticks } from './ticks.js';
import { clock, moment, t } from '../words.js';

const QUICK = ['👍', '❤️', '😂', '😮', '🙏'];
const SPEAKS_FOR_ITSELF = new Set([131047, 131050]);
const PLAIN = new Set(['image', 'video', 'sticker']);

function why(message) {
  const { refusal, error } = message;
  if (refusal) {
    const known = failureOf({ code: refusal.graphCode });
    return known ? { title: known.title, text: known.todo, told: SPEAKS_FOR_ITSELF.has(refusal.graphCode) ? null : refusal.reasons, code: refusal.graphCode } : { title: t('status.unsent'), text: refusal.words };
  }
  if (message.status === 'failed') {
    const known = failureOf(error) ?? { title: error?.title ?? t('status.failed'), told: error?.details, todo: error?.next_step ?? error?.reason };
    return { title: known.title, text: known.todo, told: known.told, code: error?.code };
  }
  if (message.status === 'held') return { title: t('held.title'), text: [heldWords(message.held_reason), message.held_until && t('held.until', { time: moment(message.held_until) })].filter(Boolean).join('. ') };
  if (message.status === 'uncertain') return { title: t('status.uncertain'), text: t('uncertain.text') };
  if (message.status === 'expired' || message.status === 'canceled') return { title: t(`status.${message.status}`) };
  return null;
}

function Trouble({ message, conversation }) {
  const reason = why(message);
  if (!reason) return null;
  const retry = () => (message.isLocal ? submit(conversation, message).catch(() => {})
    : post(`/v1/messages/${message.id}/retry`).then(() => toast(t('retried')), failed));
  const cancel = () => (message.isLocal ? discard(conversation.id, message.id) : api('DELETE', `/v1/messages/${message.id}`).then(() => toast(t('canceled')), failed));
  const may = { retry: ['failed', 'unsent', 'held', 'uncertain', 'expired'].includes(message.status), cancel: ['unsent', 'held', 'uncertain'].includes(message.status) };
  return html`<div class=${cx('trouble', message.status)} role="note"><p><${Icon} name=${message.status === 'held' ? 'pause' : 'alert'} size=${15} /><strong>${reason.title}</strong>${reason.code ? html` <a href=${`/docs/errors#whatsapp-${reason.code}`} target="_blank" rel="noopener">${reason.code}</a>` : null}</p>
    ${reason.text && html`<p>${reason.text}</p>`}${reason.told && html`<p class="told">${message.refusal ? null : t('failure.told')} <q lang="en">${reason.told}</q></p>`}
    <div class="trouble-actions">${may.retry && html`<${Button} small icon="retry" onClick=${retry}>${t('retry')}<//>`}${may.cancel && html`<${Button} small kind="quiet" onClick=${cancel}>${t(message.isLocal ? 'discard' : 'cancel')}<//>`}</div></div>`;
}

export function Bubble({ message, isNext, quoted, reactions, conversation, catalogue, onReply, onReact }) {
  const isOut = message.direction === 'out';
  const text = message.text?.body ?? message[message.type]?.caption;
  return html`<article class=${cx('bubble-line', isOut ? 'out' : 'in', { next: isNext })} data-message=${message.id} data-status=${message.status} aria-label=${t(isOut ? 'bubble.out' : 'bubble.in', { time: clock(message.created_at) })}>
    <div class="bubble-box"><div class=${cx('bubble', `kind-${message.type}`, { bare: PLAIN.has(message.type), doubtful: ['failed', 'unsent', 'expired', 'canceled'].includes(message.status) })}>
      ${message.context?.message_id && html`<p class="quote">${quoted ? html`<strong>${t(quoted.direction === 'out' ? 'you' : 'customer')}</strong> ${brief(quoted)}` : t('quote.older')}</p>`}
      <${Content} message=${message} catalogue=${catalogue} />
      <span class="bubble-foot"><time datetime=${message.created_at} title=${moment(message.created_at)}>${clock(message.created_at)}</time>${isOut && html`<${Ticks} status=${message.status} />`}</span></div>
      ${reactions?.length > 0 && html`<span class="reactions" aria-label=${t('reactions', { list: reactions.join(' ') })}>${reactions.join('')}</span>`}
      <div class="bubble-tools"><${Popover} align=${isOut ? 'end' : 'start'} button=${(popover) => html`<${Button} icon="more" kind="quiet" small label=${t('bubble.more')} aria-expanded=${popover['aria-expanded']} onClick=${popover.toggle} />`}>
        ${(close) => html`<div class="menu" onClick=${close}>
          ${message.wamid && html`<div class="quick-reactions">${QUICK.map((emoji) => html`<button key=${emoji} type="button" aria-label=${t('react', { emoji })} onClick=${() => onReact(emoji)}>${emoji}</button>`)}</div>
            <button type="button" class="menu-item" onClick=${onReply}><${Icon} name="reply" size=${18} />${t('reply')}</button>`}
          ${text && html`<button type="button" class="menu-item" onClick=${() => copy(text)}><${Icon} name="copy" size=${18} />${t('copy')}</button>`}
          <button type="button" class="menu-item" onClick=${() => copy(message.id)}><${Icon} name="copy" size=${18} />${t('copy.id')}</button></div>`}<//></div></div>
    <${Trouble} message=${message} conversation=${conversation} /></article>`;
}

export const NoteBubble = ({ note }) => html`<article class="note-line" aria-label=${t('note.by', { name: note.by_name })}><${Icon} name="note" size=${16} /><div><p>${note.text}</p><small>${note.by_name} · ${clock(note.at)} · ${t('note.private')}</small></div></article>`;
