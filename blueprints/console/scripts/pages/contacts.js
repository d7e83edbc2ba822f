// People: who they are, what they agreed to, and lists in and out.
import { html, useEffect, useRef, useState } from '../ui.js';
import { api, get, patch, post, query } from '../api.js';
import { go } from '../router.js';
import { Avatar, Icon } from '../icons.js';
import { Badge, Button, Dialog, Empty, Failure, Field, Page, Spinner, failed, toast } from '../widgets.js';
import { CsvDrop } from './csv_drop.js';
import { useRoving } from '../roving.js';
import { day, moment, number, t, word } from '../words.js';

const PAGE = 50;
const NEXT_PAGE = 200;
const MOST = 1_000;
const nameOf = (contact) => contact.name || (contact.profile_name !== contact.wa_id && contact.profile_name) || contact.username || (contact.wa_id ? `+${contact.wa_id}` : contact.user_id);

function Person({ contact, onClose, onChanged }) {
  const [full, setFull] = useState(contact);
  const [name, setName] = useState(contact.name ?? '');
  const [labels, setLabels] = useState(contact.labels.join(', '));
  useEffect(() => { get(`/v1/contacts/${contact.id}`).then(setFull, failed); }, [contact.id]);
  const act = (work) => work.then((found) => { setFull({ ...full, ...found }); onChanged(); }, failed);
  const save = () => act(patch(`/v1/contacts/${contact.id}`, { name: name.trim() || null, labels: labels.split(',').map((one) => one.trim()).filter(Boolean) }).then((found) => { toast(t('saved')); return found; }));
  const decide = (way) => act(post(`/v1/contacts/${contact.id}/${way}`, { category: 'all' }).then(() => get(`/v1/contacts/${contact.id}`)));
  const write = async () => {
    const found = await get(`/v1/conversations${query({ wa_id: contact.wa_id, limit: 1 })}`).catch(() => ({ data: [] }));
    if (found.data[0]) go('inbox', found.data[0].id);
    else go('inbox');
  };
  return html`<${Dialog} title=${nameOf(full)} onClose=${onClose} footer=${html`${contact.wa_id && html`<${Button} icon="inbox" onClick=${write}>${t('contacts.thread')}<//>`}<${Button} kind="primary" onClick=${save}>${t('save')}<//>`}>
    <${Field} label=${t('keys.name')} value=${name} placeholder=${full.profile_name ?? ''} onInput=${(event) => setName(event.target.value)} />
    <${Field} label=${t('details.labels')} hint=${t('contacts.labels.hint')} value=${labels} onInput=${(event) => setLabels(event.target.value)} />
    <section class="detail"><h3>${t('contacts.consent')}</h3><p>${full.opted_out ? html`<${Badge} kind="bad">${t(`contacts.out.${full.opted_out}`)}<//>` : html`<${Badge} kind="ok">${t('contacts.may')}<//>`}</p>
      <div class="row-actions start">${full.opted_out ? html`<${Button} small icon="check" onClick=${() => decide('opt-in')}>${t('contacts.opt_in')}<//>` : html`<${Button} small icon="block" kind="danger" onClick=${() => decide('opt-out')}>${t('contacts.opt_out')}<//>`}</div>
      ${full.consent_history?.length > 0 && html`<ol class="timeline">${[...full.consent_history].reverse().map((entry) => html`<li key=${entry.at}><time datetime=${entry.at}>${moment(entry.at)}</time><strong>${t(entry.status === 'out' ? 'contacts.opt_out' : 'contacts.opt_in')}</strong><small>${word('consent.source', entry.source)}</small></li>`)}</ol>`}</section>
    <dl class="facts spaced"><dt>wa_id</dt><dd><code>${full.wa_id ?? '—'}</code></dd><dt>user_id</dt><dd><code>${full.user_id ?? '—'}</code></dd>${Object.entries(full.attributes ?? {}).map(([key, value]) => html`<dt>${key}</dt><dd>${String(value)}</dd>`)}</dl><//>`;
}

function Import({ onClose, onDone }) {
  const [file, setFile] = useState(null);
  const [report, setReport] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const send = async () => {
    setBusy(true);
    try {
      setReport(await api('POST', '/v1/contacts/import', { body: file, headers: { 'content-type': 'text/csv' } }));
      onDone();
    } catch (error) {
      failed(error);
    }
    setBusy(false);
  };
  return html`<${Dialog} title=${t('contacts.import')} onClose=${onClose} footer=${report ? html`<${Button} kind="primary" onClick=${onClose}>${t('done')}<//>` : html`<${Button} onClick=${onClose}>${t('cancel')}<//><${Button} kind="primary" icon="upload" isBusy=${isBusy} disabled=${!file} onClick=${send}>${t('contacts.import.do')}<//>`}>
    ${report ? html`<div class="totals">${[['created', report.created], ['updated', report.updated], ['unchanged', report.unchanged], ['failed', report.failed]].map(([name, count]) => html`<div class="total" key=${name}><span>${t(`import.${name}`)}</span><strong>${number(count)}</strong></div>`)}</div>
      ${report.errors.length > 0 && html`<ul class="faults">${report.errors.slice(0, 50).map((one) => html`<li>${t('import.line', { line: one.line })}: ${one.reason}</li>`)}</ul>`}`
    : html`<${CsvDrop} file=${file} onFile=${setFile} hint=${t('contacts.import.hint')} />`}<//>`;
}

export function ContactsPage() {
  const [state, setState] = useState({ contacts: null, cursor: null });
  const [search, setSearch] = useState('');
  const [filter, setFilter] = useState('');
  const [chosen, setChosen] = useState(null);
  const [isImporting, setImporting] = useState(false);
  const timer = useRef();
  const turn = useRef(0);
  const load = async ({ isMore = false } = {}) => {
    const mine = (turn.current += 1);
    try {
      const found = await get(`/v1/contacts${query({ search, opted_out: filter, limit: isMore ? NEXT_PAGE : PAGE, cursor: isMore ? state.cursor : null })}`);
      if (mine === turn.current) setState((before) => ({ contacts: isMore ? [...before.contacts, ...found.data] : found.data, cursor: found.next_cursor }));
    } catch (error) {
      if (mine === turn.current) setState((before) => ({ ...before, error }));
    }
  };
  useEffect(() => {
    clearTimeout(timer.current);
    timer.current = setTimeout(load, search ? 220 : 0);
  }, [search, filter]);
  const { contacts, cursor, error } = state;
  const rows = useRoving('.person-link');
  return html`<${Page} title=${t('nav.contacts')} lead=${t('contacts.lead')} actions=${html`<a class="button plain" href="/v1/contacts/export" download="contacts.csv"><${Icon} name="download" size=${18} /><span>${t('contacts.export')}</span></a><${Button} icon="upload" kind="primary" onClick=${() => setImporting(true)}>${t('contacts.import')}<//>`}>
    <div class="filters"><div class="search"><${Icon} name="search" size=${18} /><input type="search" value=${search} placeholder=${t('contacts.search')} aria-label=${t('contacts.search')} onInput=${(event) => setSearch(event.target.value)} /></div>
      <${Field} label=${t('contacts.filter')} isHidden kind="select" value=${filter} onChange=${(event) => setFilter(event.target.value)} options=${[['', t('contacts.everybody')], ['all', t('contacts.out.all')], ['marketing', t('contacts.out.marketing')]]} /></div>
    ${error && html`<${Failure} error=${error} onRetry=${load} />`}${!contacts && !error && html`<${Spinner} />`}
    ${contacts?.length === 0 && html`<${Empty} icon="contacts" title=${t('contacts.none')}><p>${t('contacts.none.text')}</p><//>`}
    ${contacts?.length > 0 && html`<div class="table-box people" tabindex="0" ...${rows}><table><caption class="visually-hidden">${t('nav.contacts')}</caption><thead><tr><th scope="col">${t('keys.name')}</th><th scope="col">${t('phone')}</th><th scope="col">${t('details.labels')}</th><th scope="col">${t('contacts.consent')}</th><th scope="col">${t('details.since')}</th></tr></thead><tbody>
      ${contacts.map((one) => html`<tr key=${one.id}><td><button type="button" class="person-link" onClick=${() => setChosen(one)}><${Avatar} name=${nameOf(one)} size=${34} /><span class="who"><strong>${nameOf(one)}</strong><small aria-hidden="true">${one.wa_id ? `+${one.wa_id}` : one.user_id}</small></span></button></td><td>${one.wa_id ? `+${one.wa_id}` : html`<code>${one.user_id}</code>`}</td>
        <td>${one.labels.map((label) => html`<span class="row-tag label" key=${label}>${label}</span> `)}</td><td>${one.opted_out ? html`<${Badge} kind="bad">${t(`contacts.out.${one.opted_out}`)}<//>` : html`<${Badge} kind="ok">${t('contacts.may')}<//>`}</td><td>${day(one.created_at)}</td></tr>`)}</tbody></table></div>`}
    ${cursor && html`<div class="more">${contacts.length < MOST ? html`<${Button} onClick=${() => load({ isMore: true })}>${t('more')}<//>` : html`<p class="muted">${t('contacts.most', { count: number(contacts.length) })}</p>`}</div>`}
    ${chosen && html`<${Person} contact=${chosen} onClose=${() => setChosen(null)} onChanged=${load} />`}${isImporting && html`<${Import} onClose=${() => setImporting(false)} onDone=${load} />`}<//>`;
}
