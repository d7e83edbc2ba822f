// Conversations and threads as this browser knows them, kept up to date by events.
import { createStore } from '../ui.js';
import { get, patch, post, query } from '../api.js';
import { onEvent } from '../live.js';
import { session } from '../session.js';

const PAGE = 200;
const RELOAD_MS = 1_200;

export const VIEWS = ['open', 'unread', 'mine', 'unassigned', 'closed'];
export const inbox = createStore({ byId: {}, order: [], cursor: null, isLoading: false, hasLoaded: false, error: null, view: 'open', search: '', label: '' });
export const unreadTotal = createStore({ count: 0 });
let generation = 0;

const time = (conversation) => conversation.last_message?.at ?? conversation.created_at;

function filterQuery({ view, search, label }) {
  return {
    q: search,
    label,
    status: view === 'closed' ? 'closed' : view === 'unread' ? null : search ? null : 'open',
    unread: view === 'unread' && 'true',
    assignee: view === 'mine' ? session.get().name : view === 'unassigned' ? 'none' : null,
  };
}

/** Does this conversation belong into the list that is shown? A search is the server's business. */
function fits(conversation, { view, search, label }) {
  if (label && !conversation.labels.includes(label)) return false;
  if (view === 'closed') return conversation.status === 'closed';
  if (view === 'unread') return conversation.unread_count > 0;
  if (!search && conversation.status !== 'open') return false;
  if (view === 'mine') return conversation.assignee === session.get().name;
  if (view === 'unassigned') return !conversation.assignee;
  return true;
}

/** Put one id into its place by time: the rest is in order already. */
function inserted(byId, others, id) {
  const at = time(byId[id]);
  const position = others.findIndex((one) => time(byId[one]) <= at);
  return position < 0 ? [...others, id] : [...others.slice(0, position), id, ...others.slice(position)];
}

export async function loadList({ isMore = false } = {}) {
  const state = inbox.get();
  if (isMore && (state.isLoading || !state.cursor)) return;
  const mine = isMore ? generation : (generation += 1);
  inbox.set({ isLoading: true, error: null });
  try {
    const page = await get(`/v1/conversations${query({ ...filterQuery(state), limit: PAGE, cursor: isMore ? state.cursor : null })}`);
    if (mine !== generation) return;
    inbox.set((now) => {
      const byId = { ...now.byId, ...Object.fromEntries(page.data.map((one) => [one.id, one])) };
      const ids = page.data.map((one) => one.id);
      const kept = isMore ? now.order : [];
      const known = new Set(kept);
      return { byId, order: [...kept, ...ids.filter((id) => !known.has(id))], cursor: page.next_cursor, isLoading: false, hasLoaded: true };
    });
    countUnread();
  } catch (error) {
    if (mine === generation) inbox.set({ isLoading: false, hasLoaded: true, error });
  }
}

export function setFilter(change) {
  inbox.set(change);
  return loadList();
}

function countUnread() {
  const { byId } = inbox.get();
  unreadTotal.set({ count: Object.values(byId).filter((one) => one.unread_count > 0).length });
}

/** Put a conversation as it is now into the list, or out of it. */
export function place(conversation) {
  inbox.set((state) => {
    const byId = { ...state.byId, [conversation.id]: conversation };
    const isListed = state.order.includes(conversation.id);
    const belongs = state.search ? isListed : fits(conversation, state) || (isListed && state.view === 'unread');
    const others = state.order.filter((id) => id !== conversation.id);
    const oldest = others.length ? time(byId[others[others.length - 1]]) : '';
    const isInReach = !state.cursor || time(conversation) >= oldest;
    return { byId, order: belongs && (isInReach || isListed) ? inserted(byId, others, conversation.id) : others };
  });
  countUnread();
}

export async function fetchConversation(id) {
  const conversation = await get(`/v1/conversations/${id}`);
  place(conversation);
  return conversation;
}

const change = (id, values) => {
  const known = inbox.get().byId[id];
  if (known) place({ ...known, ...values });
};

export async function update(id, values) {
  const before = inbox.get().byId[id];
  change(id, values);
  try {
    await patch(`/v1/conversations/${id}`, values);
  } catch (error) {
    if (before) place(before);
    throw error;
  }
}

export function markRead(id) {
  if (!inbox.get().byId[id]?.unread_count) return;
  change(id, { unread_count: 0 });
  post(`/v1/conversations/${id}/read`).catch(() => fetchConversation(id).catch(() => {}));
}

// --- events

const wanted = new Set();
let timer = null;
function want(id) {
  wanted.add(id);
  timer ??= setTimeout(async () => {
    timer = null;
    const ids = [...wanted];
    wanted.clear();
    if (ids.length > 5) await loadList();
    else await Promise.all(ids.map((one) => fetchConversation(one).catch(() => {})));
  }, RELOAD_MS / 4);
}

const plus24h = (at) => new Date(new Date(at).getTime() + 86_400_000).toISOString();

onEvent((event) => {
  if (event === null) {
    if (inbox.get().hasLoaded) loadList();
    return;
  }
  const { type, data, at } = event;
  const id = data.conversation_id;
  if (!id || !/^(message|conversation)\./.test(type)) return;
  const known = inbox.get().byId[id];
  if (type === 'message.received' || type === 'message.queued') {
    if (!known) return want(id);
    // Told again, or the list was read after it: it is in there.
    if (known.last_message && at <= known.last_message.at) return undefined;
    const isIn = type === 'message.received';
    const preview = { id: data.message_id, direction: isIn ? 'in' : 'out', type: data.type, text: data.preview ?? '', at, status: isIn ? 'received' : 'queued' };
    const values = isIn
      ? { unread_count: known.unread_count + 1, status: 'open', last_inbound_at: data.sent_at, window_closes_at: plus24h(data.sent_at), last_message: preview }
      : { last_outbound_at: at, last_message: preview };
    if (isIn && data.name) values.contact = { ...known.contact, name: data.name };
    change(id, values);
  } else if (type === 'conversation.read') {
    if (!(known?.last_message?.direction === 'in' && known.last_message.at > at)) change(id, { unread_count: 0 });
  } else if (type === 'conversation.merged') {
    return loadList(); // one of the two is gone
  } else if (type === 'conversation.linked') {
    if (known) want(id);
  } else if (type === 'conversation.updated') {
    const values = Object.fromEntries(['assignee', 'labels', 'status'].filter((name) => name in data).map((name) => [name, data[name]]));
    if (known) change(id, values);
    else want(id);
  } else if (known?.last_message?.id === data.message_id && data.status) {
    change(id, { last_message: { ...known.last_message, status: data.status } });
  }
});
