// Calls of our own API with the session's cookie. A failure is an ApiError with the server's own words.
export class ApiError extends Error {
  constructor(status, body) {
    super(body.detail ?? `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? `http_${status}`;
    this.faults = body.errors ?? [];
    this.retryAfterS = body.retry_after_s;
    this.graphCode = body.graph_code;
  }

  /** Each fault with its path. */
  get reasons() {
    return this.faults.map((fault) => [fault.path, fault.reason].filter(Boolean).join(': ')).join(' · ');
  }

  /** The sentence, and each fault with its path. */
  get words() {
    return [this.message, this.reasons].filter(Boolean).join(' · ');
  }
}

const listeners = { ended: () => {} };
/** Called when the server no longer knows this session. */
export const onSessionEnded = (listener) => { listeners.ended = listener; };

export async function api(method, path, { body, headers, signal, raw } = {}) {
  const isData = body instanceof FormData || body instanceof Blob;
  let answer;
  try {
    answer = await fetch(path, {
      method,
      signal,
      credentials: 'same-origin',
      headers: {
        ...(method === 'GET' ? {} : { 'x-panal-console': '1' }),
        ...(body === undefined || isData ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || isData ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, { code: 'offline', detail: error.message });
  }
  if (raw && answer.ok) return answer;
  const text = await answer.text();
  let parsed = {};
  try {
    parsed = text ? JSON.parse(text) : {};
  } catch {
    parsed = { detail: text.slice(0, 200) };
  }
  if (answer.ok) return parsed;
  if (answer.status === 401) listeners.ended();
  throw new ApiError(answer.status, typeof parsed.error === 'string' ? { detail: parsed.error } : parsed);
}

export const get = (path, options) => api('GET', path, options);
export const post = (path, body = {}, options = {}) => api('POST', path, { body, ...options });
export const put = (path, body = {}) => api('PUT', path, { body });
export const patch = (path, body = {}) => api('PATCH', path, { body });
export const del = (path) => api('DELETE', path);

/** A query string of what is set. */
export function query(values) {
  const set = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '' && value !== false);
  return set.length ? `?${new URLSearchParams(set)}` : '';
}

/** Ask for a list that may not be there yet: 404 is an empty list that says so. */
export async function list(path) {
  try {
    return await get(path);
  } catch (error) {
    if (error.status === 404) return { data: [], next_cursor: null, isMissing: true };
    throw error;
  }
}
