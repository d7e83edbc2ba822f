// The messages and notes of one conversation, with those that are still on their way to the server.
import { createStore } from '../ui.js';
import { get, post, query } from '../api.js';
import { onEvent } from '../live.js';
import { session } from '../session.js';

const PAGE = 40;
const SETTLE_MS = 250;
const MEDIA = new Set(['image', 'video', 'audio', 'document', 'sticker']);
const empty = { messages: [], notes: [], cursor: null, isLoading: false, hasLoaded: false, error: null };
export const threads = createStore({ byId: {} });

const of = (id) => threads.get().byId[id] ?? empty;
export const threadOf = (state, id) => state.byId[id] ?? empty;
const set = (id, patch) => threads.set((state) => {
  const before = state.byId[id] ?? empty;
  return { byId: { ...state.byId, [id]: { ...before, ...(typeof patch === 'function' ? patch(before) : patch) } } };
});

// What events said of messages, by id. An answer of the server may be older than an event that was here first.
const news = new Map();
const MOST_NEWS = 2_000;
const note = (messageId, change) => {
  news.delete(messageId);
  news.set(messageId, change);
  if (news.size > MOST_NEWS) news.delete(news.keys().next().value);
};
const upToDate = (message) => {
  const change = news.get(message.id);
  return change && change.seq > (message.seq ?? 0) ? { ...message, ...change } : message;
};

const merged = (older, newer) => {
  const byId = new Map();
  for (const message of [...older, ...newer]) byId.set(message.id, upToDate({ ...byId.get(message.id), ...message }));
  return [...byId.values()].sort((a, b) => (a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 : 0));
};

// What was sent or came while the page was being read is newer than it, and stays.
export async function loadThread(id) {
  set(id, { isLoading: true, error: null });
  try {
    const [page, notes] = await Promise.all([
      get(`/v1/conversations/${id}/messages${query({ limit: PAGE })}`),
      get(`/v1/conversations/${id}/notes`).catch(() => ({ data: [] })),
    ]);
    set(id, (thread) => ({
      messages: merged([...page.data].reverse(), thread.messages.filter((one) => one.isLocal || !page.data.length || one.created_at > page.data[0].created_at)),
      notes: notes.data, cursor: page.next_cursor, isLoading: false, hasLoaded: true,
    }));
  } catch (error) {
    set(id, { isLoading: false, error, hasLoaded: true });
  }
}

export async function loadOlder(id) {
  const { cursor, isLoading } = of(id);
  if (!cursor || isLoading) return;
  set(id, { isLoading: true });
  try {
    const page = await get(`/v1/conversations/${id}/messages${query({ limit: PAGE, cursor })}`);
    set(id, (thread) => ({ messages: merged(page.data.reverse(), thread.messages), cursor: page.next_cursor, isLoading: false }));
  } catch {
    set(id, { isLoading: false });
  }
}

const patchMessage = (id, messageId, change) => set(id, (thread) => ({
  messages: thread.messages.map((one) => (one.id === messageId ? { ...one, ...change } : one)),
}));

/** Show it at once, send it, and keep it in view with its failure if there is one. `order` is a message without `to`. */
export async function send(conversation, order) {
  const key = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  const local = {
    id: `local-${key}`, key, order, isLocal: true, direction: 'out', status: 'pending', created_at: new Date().toISOString(),
    conversation_id: conversation.id, ...order,
  };
  set(conversation.id, (thread) => ({ messages: [...thread.messages, local] }));
  return submit(conversation, local);
}

export async function submit(conversation, local) {
  patchMessage(conversation.id, local.id, { status: 'pending', refusal: null });
  const { wa_id: waId, user_id: userId, group_id: groupId } = conversation.contact;
  const to = groupId ? { to: groupId, recipient_type: 'group' } : { to: waId ?? userId };
  try {
    const accepted = await post('/v1/messages', { ...local.order, ...to, from: conversation.phone_number_id }, { headers: { 'idempotency-key': local.key } });
    set(conversation.id, (thread) => {
      const arrived = thread.messages.find((one) => one.id === accepted.id);
      const others = thread.messages.filter((one) => one.id !== local.id && one.id !== accepted.id);
      const message = { ...local, isLocal: false, id: accepted.id, status: accepted.status, created_at: accepted.created_at, ...arrived };
      return { messages: merged(others, [message]) };
    });
    return accepted;
  } catch (error) {
    patchMessage(conversation.id, local.id, { status: 'unsent', refusal: error });
    throw error;
  }
}

export const discard = (conversationId, messageId) => set(conversationId, (thread) => ({
  messages: thread.messages.filter((one) => one.id !== messageId),
}));

export async function addNote(id, text) {
  const note = await post(`/v1/conversations/${id}/notes`, { text });
  keepNote(id, { id: note.id, text, by_name: session.get().name, at: new Date().toISOString() });
}

const keepNote = (id, note) => set(id, (thread) => (thread.notes.some((one) => one.id === note.id) ? {} : { notes: [...thread.notes, note] }));

/** An event is faster than the documents that it makes: a file can be asked for when its message is there. */
async function settle(id, messageId, tries = 12) {
  await new Promise((done) => setTimeout(done, SETTLE_MS));
  const page = await get(`/v1/conversations/${id}/messages${query({ limit: 20 })}`).catch(() => ({ data: [] }));
  const found = page.data.find((one) => one.id === messageId);
  if (found || tries === 0) patchMessage(id, messageId, { ...found, isFresh: false });
  else await settle(id, messageId, tries - 1);
}

const fetching = new Set();
async function fetchMessage(id, messageId) {
  if (fetching.has(messageId)) return;
  fetching.add(messageId);
  try {
    const message = await get(`/v1/messages/${messageId}`);
    set(id, (thread) => ({ messages: merged(thread.messages, [message]) }));
  } catch {
    // The next look at the thread brings it.
  } finally {
    fetching.delete(messageId);
  }
}

onEvent((event) => {
  if (event === null) {
    for (const id of Object.keys(threads.get().byId)) if (of(id).hasLoaded) loadThread(id);
    return;
  }
  const { type, data, at } = event;
  const id = data.conversation_id;
  if (!id || !(of(id).hasLoaded || of(id).isLoading)) return;
  const known = of(id).messages.find((one) => one.id === data.message_id);
  if (type === 'message.received') {
    if (known) return;
    const message = {
      id: data.message_id, direction: 'in', status: 'received', created_at: at, from: data.from, wamid: data.wamid,
      context: data.context_wamid ? { message_id: data.context_wamid } : null, ...data.content, type: data.type,
    };
    set(id, (thread) => ({ messages: merged(thread.messages, [{ ...message, isFresh: MEDIA.has(data.type) }]) }));
    if (MEDIA.has(data.type)) settle(id, data.message_id);
  } else if (type === 'conversation.noted') {
    keepNote(id, { id: data.note_id, text: data.text, by: data.by, by_name: data.by_name, at });
  } else if (type.startsWith('message.') && data.message_id) {
    if (known && event.seq <= (known.seq ?? 0)) return;
    const change = { ...news.get(data.message_id), seq: event.seq, held_reason: data.status === 'held' ? data.reason : null };
    for (const name of ['status', 'wamid', 'error', 'held_until', 'pricing']) if (data[name]) change[name] = data[name];
    note(data.message_id, change);
    if (known) patchMessage(id, data.message_id, change);
    else fetchMessage(id, data.message_id);
  }
});
