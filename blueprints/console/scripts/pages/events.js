// The numbered log as it is written, with filters, and each event's data.
import { cx, html, useEffect, useMemo, useRef, useState } from '../ui.js';
import { get } from '../api.js';
import { failureOf } from '../failures.js';
import { onEvent } from '../live.js';
import { Icon } from '../icons.js';
import { Button, Empty, Failure, Field, Page, Spinner, copy } from '../widgets.js';
import { useRoving } from '../roving.js';
import { clockSeconds, moment, t } from '../words.js';

const MOST = 500;
const DRAW_EVERY_MS = 60;
const FAMILIES = ['message', 'conversation', 'contact', 'template', 'number', 'campaign', 'webhook_endpoint', 'account', 'notification', 'cluster'];

const about = (data) => [data.to && `→ +${data.to}`, data.from && `← +${data.from}`, data.preview, data.status, data.reason, failureOf(data.error)?.title ?? data.error?.title, data.name].filter((one) => typeof one === 'string').slice(0, 3).join(' · ');

function Row({ event, isOpen, onToggle }) {
  return html`<li class=${cx('event', event.type.split('.')[0], event.type.replace('.', '-'), { open: isOpen })}><button type="button" aria-expanded=${isOpen ? 'true' : 'false'} onClick=${onToggle}>
    <span class="seq">${event.seq}</span><time datetime=${event.at} title=${moment(event.at)}>${clockSeconds(event.at)}</time><strong>${event.type}</strong><span class="about">${about(event.data)}</span></button>
    ${isOpen && html`<div class="event-data"><pre tabindex="0">${JSON.stringify(event, null, 2)}</pre><${Button} small icon="copy" onClick=${() => copy(JSON.stringify(event, null, 2))}>${t('copy')}<//></div>`}</li>`;
}

async function latest() {
  const found = await get('/console/latest-events?limit=100');
  return found.data;
}

// What came live while the newest were being read is not among them: it stays above them.
function above(found, before) {
  const reached = {};
  for (const event of found) reached[event.phone_number_id] = Math.max(reached[event.phone_number_id] ?? 0, event.seq);
  return before.filter((event) => event.seq > (reached[event.phone_number_id] ?? 0));
}

export function EventsPage() {
  const [events, setEvents] = useState([]);
  const [error, setError] = useState(null);
  const [hasLoaded, setLoaded] = useState(false);
  const [family, setFamily] = useState('');
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState(null);
  const [isPaused, setPaused] = useState(false);
  const paused = useRef(false);
  const fresh = useRef([]);
  paused.current = isPaused;
  const load = () => latest().then((found) => { setEvents((before) => [...above(found, before), ...found].slice(0, MOST)); setLoaded(true); setError(null); }, (failure) => { setError(failure); setLoaded(true); });
  useEffect(() => {
    load();
    let timer = null;
    // However many come at once, the list is drawn a few times a second.
    const take = () => { timer = null; setEvents(withNews); };
    const withNews = (before) => {
      const known = new Set(before.map((one) => one.id));
      const news = fresh.current.splice(0).filter((event) => !known.has(event.id) && known.add(event.id));
      return news.length ? [...news.reverse(), ...before].slice(0, MOST) : before;
    };
    const stop = onEvent((event) => {
      if (paused.current) return;
      if (event === null) load();
      else {
        fresh.current.push(event);
        timer ??= setTimeout(take, DRAW_EVERY_MS);
      }
    });
    return () => { stop(); clearTimeout(timer); };
  }, []);
  const rows = useRoving('.event > button');
  const shown = useMemo(() => events.filter((event) => (!family || event.type.startsWith(`${family}.`)) && (!search || JSON.stringify(event).toLowerCase().includes(search.toLowerCase()))), [events, family, search]);
  return html`<${Page} title=${t('nav.events')} lead=${t('events.lead')} class="events" actions=${html`<${Button} icon=${isPaused ? 'play' : 'pause'} onClick=${() => { setPaused(!isPaused); if (isPaused) load(); }}>${t(isPaused ? 'events.go' : 'events.pause')}<//>`}>
    <div class="filters"><div class="search"><${Icon} name="search" size=${18} /><input type="search" value=${search} placeholder=${t('events.search')} aria-label=${t('events.search')} onInput=${(event) => setSearch(event.target.value)} /></div>
      <${Field} label=${t('events.family')} isHidden kind="select" value=${family} onChange=${(event) => setFamily(event.target.value)} options=${[['', t('events.all')], ...FAMILIES.map((one) => [one, `${one}.*`])]} /></div>
    ${error && html`<${Failure} error=${error} onRetry=${load} />`}${!hasLoaded && html`<${Spinner} />`}
    ${hasLoaded && !error && shown.length === 0 && html`<${Empty} icon="events" title=${t('events.none')}><p>${t('events.none.text')}</p><//>`}
    <ol class="event-list" ...${rows} aria-label=${t('nav.events')}>${shown.map((event) => html`<${Row} key=${event.id} event=${event} isOpen=${open === event.id} onToggle=${() => setOpen(open === event.id ? null : event.id)} />`)}</ol><//>`;
}
