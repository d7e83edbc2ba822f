// The middle column: what was said, day by day, with notes between.
import { cx, html, useEffect, useLayoutEffect, useMemo, useRef, useState, useStore } from '../ui.js';
import { go } from '../router.js';
import { inbox, fetchConversation, markRead, update } from './state.js';
import { loadOlder, loadThread, send, threadOf, threads } from './thread_state.js';
import { nameOf } from './list.js';
import { Bubble, NoteBubble } from './bubble.js';
import { Composer } from './composer.js';
import { WindowBadge } from './window.js';
import { useCatalogue } from './catalogue.js';
import { Avatar } from '../icons.js';
import { Button, Failure, Spinner, failed, toast } from '../widgets.js';
import { useRoving } from '../roving.js';
import { dayName, t } from '../words.js';

const NEAR_PX = 80;

/** Messages and notes in one order, with the days between them; reactions go to what they are about. */
export function lines(messages, notes) {
  const reactions = new Map();
  const byWamid = new Map(messages.filter((one) => one.wamid).map((one) => [one.wamid, one]));
  const shown = [];
  for (const message of messages) {
    const target = message.type === 'reaction' ? message.reaction?.message_id : null;
    if (target && byWamid.has(target)) {
      const of = reactions.get(target) ?? {};
      reactions.set(target, { ...of, [message.direction]: message.reaction.emoji });
    } else shown.push(message);
  }
  const all = [...shown.map((message) => ({ at: message.created_at, message })), ...notes.map((note) => ({ at: note.at, note }))].sort((a, b) => (a.at < b.at ? -1 : 1));
  const result = [];
  let lastDay = null;
  let before = null;
  for (const line of all) {
    const today = new Date(line.at).toDateString();
    if (today !== lastDay) {
      result.push({ key: today, day: line.at });
      lastDay = today;
      before = null;
    }
    if (line.message) {
      const isNext = before?.message?.direction === line.message.direction && new Date(line.at) - new Date(before.at) < 120_000;
      const quoted = line.message.context?.message_id ? byWamid.get(line.message.context.message_id) : null;
      result.push({ key: line.message.key ?? line.message.id, message: line.message, isNext, quoted, reactions: Object.values(reactions.get(line.message.wamid) ?? {}).filter(Boolean) });
    } else result.push({ key: line.note.id, note: line.note });
    before = line;
  }
  return result;
}

export function Thread({ id, onDetails, areDetailsOpen, onPhone, isPhoneOpen }) {
  const conversation = useStore(inbox, (state) => state.byId[id]);
  const thread = useStore(threads, (state) => threadOf(state, id));
  const catalogue = useCatalogue();
  const [replyTo, setReplyTo] = useState(null);
  const [isAway, setAway] = useState(false);
  const [fault, setFault] = useState(null);
  const box = useRef();
  const isAtEnd = useRef(true);
  const beforeHeight = useRef(null);
  useEffect(() => {
    setReplyTo(null);
    setFault(null);
    isAtEnd.current = true;
    loadThread(id);
    if (!inbox.get().byId[id]) fetchConversation(id).catch(setFault);
  }, [id]);
  const unread = conversation?.unread_count;
  useEffect(() => {
    if (unread && !document.hidden) markRead(id);
    const seen = () => document.hidden || markRead(id);
    document.addEventListener('visibilitychange', seen);
    return () => document.removeEventListener('visibilitychange', seen);
  }, [id, unread]);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    if (beforeHeight.current !== null) {
      element.scrollTop += element.scrollHeight - beforeHeight.current;
      if (!thread.isLoading) beforeHeight.current = null;
    } else if (isAtEnd.current) element.scrollTop = element.scrollHeight;
  });
  const onScroll = () => {
    const element = box.current;
    isAtEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    setAway(!isAtEnd.current);
    if (element.scrollTop < NEAR_PX && thread.cursor && !thread.isLoading) {
      beforeHeight.current = element.scrollHeight;
      loadOlder(id);
    }
  };
  const tools = useRoving('.bubble-tools > .popover-anchor > button', { startsAtEnd: true, ref: box });
  const shown = useMemo(() => lines(thread.messages, thread.notes), [thread.messages, thread.notes]);
  if (fault) return html`<section class="thread"><${Failure} error=${fault} onRetry=${() => go('inbox')} /></section>`;
  if (!conversation) return html`<section class="thread"><div class="thread-wait"><${Spinner} /></div></section>`;
  const name = nameOf(conversation);
  const react = (message, emoji) => send(conversation, { type: 'reaction', reaction: { message_id: message.wamid, emoji } }).catch(failed);
  const close = () => update(id, { status: conversation.status === 'open' ? 'closed' : 'open' })
    .then(() => toast(t(conversation.status === 'open' ? 'thread.closed' : 'thread.opened')), failed);
  return html`<section class="thread" aria-label=${t('thread.label', { name })}>
    <header class="thread-head"><${Button} icon="back" kind="quiet" class="only-narrow" label=${t('back')} onClick=${() => go('inbox')} />
      <${Avatar} name=${name} size=${40} /><div class="thread-who"><h2>${name}</h2><p>${conversation.contact.wa_id ? `+${conversation.contact.wa_id}` : conversation.contact.user_id ?? conversation.contact.group_id}</p></div>
      <${WindowBadge} conversation=${conversation} />
      ${onPhone && html`<${Button} icon="phone" kind=${cx('quiet', { on: isPhoneOpen })} label=${t('phone.open')} aria-pressed=${isPhoneOpen ? 'true' : 'false'} data-opens="phone" onClick=${onPhone} />`}
      <${Button} icon=${conversation.status === 'open' ? 'archive' : 'retry'} kind="quiet" class="only-wide" label=${t(conversation.status === 'open' ? 'thread.close' : 'thread.open')} onClick=${close} />
      <${Button} icon="info" kind=${cx('quiet', { on: areDetailsOpen })} label=${t('details.title')} aria-pressed=${areDetailsOpen ? 'true' : 'false'} data-opens="details" onClick=${onDetails} /></header>
    <div class="messages" ...${tools} onScroll=${onScroll} tabindex="0" role="log" aria-label=${t('thread.messages')} aria-live="polite">
      ${thread.isLoading && html`<div class="thread-wait"><${Spinner} /></div>`}
      ${thread.error && html`<${Failure} error=${thread.error} onRetry=${() => loadThread(id)} />`}
      ${thread.hasLoaded && !thread.isLoading && !thread.cursor && !thread.error && html`<p class="thread-start">${t('thread.start')}</p>`}
      ${shown.map((line) => (line.day ? html`<p class="day" key=${line.key}><span>${dayName(line.day)}</span></p>`
    : line.note ? html`<${NoteBubble} key=${line.key} note=${line.note} />`
      : html`<${Bubble} key=${line.key} ...${line} conversation=${conversation} catalogue=${catalogue} onReply=${() => setReplyTo(line.message)} onReact=${(emoji) => react(line.message, emoji)} />`))}
    </div>
    ${isAway && html`<${Button} icon="down" class="to-end" label=${t('thread.to_end')} onClick=${() => { box.current.scrollTop = box.current.scrollHeight; }} />`}
    <${Composer} key=${id} conversation=${conversation} replyTo=${replyTo} onReplied=${() => setReplyTo(null)} catalogue=${catalogue} onSent=${() => { isAtEnd.current = true; }} />
  </section>`;
}
