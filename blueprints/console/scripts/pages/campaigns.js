// Campaigns: what runs, how far it is, and what became of each person.
import { html, useEffect, useState } from '../ui.js';
import { get, post, query } from '../api.js';
import { onEvent } from '../live.js';
import { failureOf } from '../failures.js';
import { go } from '../router.js';
import { Icon } from '../icons.js';
import { Badge, Button, Cell, Dialog, Empty, Failure, Page, Spinner, Table, failed } from '../widgets.js';
import { NewCampaign } from './new_campaign.js';
import { moment, number, t, tn } from '../words.js';

const KIND = { running: 'info', completed: 'ok', paused: 'warn', scheduled: 'plain', draft: 'plain', canceled: 'plain' };
const ACTIONS = { draft: ['start', 'cancel'], scheduled: ['pause', 'cancel'], running: ['pause', 'cancel'], paused: ['resume', 'cancel'] };
const ICONS = { start: 'play', pause: 'pause', resume: 'play', cancel: 'close' };
const PAGE = 50;

const counts = (campaign) => {
  const results = campaign.results ?? {};
  const of = (...names) => names.reduce((sum, name) => sum + (results[name] ?? 0), 0);
  return { read: of('read'), delivered: of('delivered'), sent: of('sent'), failed: of('failed', 'expired', 'uncertain', 'canceled') };
};

const whyNot = ({ error, reason }) => failureOf(error)?.title ?? error?.title
  ?? (reason?.startsWith('opted_out') ? t(reason.includes('marketing') ? 'contacts.out.marketing' : 'contacts.out.all') : reason ?? '');

function Progress({ campaign }) {
  const total = campaign.progress.total ?? 0;
  const parts = counts(campaign);
  const words = ['read', 'delivered', 'sent', 'failed'].filter((name) => parts[name]).map((name) => `${t(`status.${name}`)}: ${number(parts[name])}`).join(' · ');
  return html`<div><div class="progress" role="img" aria-label=${words || t('campaign.none_yet')}>${Object.entries(parts).map(([name, count]) => html`<i key=${name} class=${name} style=${{ width: `${total ? (count / total) * 100 : 0}%` }}></i>`)}</div>
    <p class="progress-words"><span>${words || t('campaign.none_yet')}</span><span>${total === 0 ? null : t('campaign.handed', { done: number(campaign.progress.handed_over ?? 0), total: number(total) })}</span></p></div>`;
}

function Actions({ campaign, onChanged }) {
  const [asking, setAsking] = useState(false);
  const act = (name) => post(`/v1/campaigns/${campaign.id}/${name}`).then((found) => { setAsking(false); onChanged(found); }, failed);
  return html`${(ACTIONS[campaign.status] ?? []).map((name) => html`<${Button} key=${name} small icon=${ICONS[name]} kind=${name === 'cancel' ? 'danger' : name === 'start' || name === 'resume' ? 'primary' : 'plain'} onClick=${() => (name === 'cancel' ? setAsking(true) : act(name))}>${t(`campaign.${name}`)}<//>`)}
    ${asking && html`<${Dialog} title=${t('campaign.cancel.title')} onClose=${() => setAsking(false)} footer=${html`<${Button} onClick=${() => setAsking(false)}>${t('back')}<//><${Button} kind="danger" onClick=${() => act('cancel')}>${t('campaign.cancel')}<//>`}><p>${t('campaign.cancel.text')}</p><//>`}`;
}

function Detail({ id }) {
  const [campaign, setCampaign] = useState(null);
  const [people, setPeople] = useState({ rows: [], cursor: null });
  const [error, setError] = useState(null);
  const load = () => Promise.all([get(`/v1/campaigns/${id}`), get(`/v1/campaigns/${id}/recipients?limit=${PAGE}`)])
    .then(([found, list]) => { setCampaign(found); setPeople({ rows: list.data, cursor: list.next_cursor }); }, setError);
  const more = () => get(`/v1/campaigns/${id}/recipients${query({ limit: PAGE, cursor: people.cursor })}`).then((list) => setPeople({ rows: [...people.rows, ...list.data], cursor: list.next_cursor }), failed);
  useEffect(() => {
    load();
    let timer = null;
    const stop = onEvent((event) => {
      if (event === null || event.type.startsWith('message.') || event.type.startsWith('campaign.')) timer ??= setTimeout(() => { timer = null; load(); }, 800);
    });
    return () => { stop(); clearTimeout(timer); };
  }, [id]);
  if (error) return html`<${Failure} error=${error} onRetry=${load} />`;
  if (!campaign) return html`<${Spinner} />`;
  return html`<section class="card"><header><span class="cell"><${Icon} name="campaigns" /></span><div><h2>${campaign.name}</h2><p>${campaign.template.name} · ${campaign.template.language?.code}</p></div><${Badge} kind=${KIND[campaign.status]}>${t(`campaign.is.${campaign.status}`)}<//></header>
    ${campaign.reason && html`<p class="notice warn"><${Icon} name="info" size=${16} /><span>${campaign.reason}</span></p>`}
    <${Progress} campaign=${campaign} /><dl class="facts spaced"><dt>${t('campaign.total')}</dt><dd>${campaign.progress.total === null ? '—' : number(campaign.progress.total)}</dd><dt>${t('campaign.skipped')}</dt><dd>${number(campaign.progress.skipped ?? 0)}</dd><dt>${t('campaign.rate')}</dt><dd>${campaign.rate_per_minute ? t('campaign.rate.value', { rate: number(campaign.rate_per_minute) }) : t('campaign.rate.max')}</dd>
      ${campaign.send_at && html`<dt>${t('campaign.at')}</dt><dd>${moment(campaign.send_at)}</dd>`}${campaign.started_at && html`<dt>${t('campaign.started')}</dt><dd>${moment(campaign.started_at)}</dd>`}${campaign.finished_at && html`<dt>${t('campaign.finished')}</dt><dd>${moment(campaign.finished_at)}</dd>`}</dl>
    <footer><${Actions} campaign=${campaign} onChanged=${setCampaign} /></footer></section>
    <section class="card"><header><div><h2>${t('campaign.people')}</h2></div></header>${people.rows.length === 0 ? html`<p class="muted">${t('campaign.people.none')}</p>` : html`<${Table} label=${t('campaign.people')} columns=${[t('phone'), t('campaign.variables'), t('state'), t('time')]}>
      ${people.rows.map((row) => html`<tr role="row" key=${row.to}><${Cell}>${/^\d+$/.test(row.to) ? `+${row.to}` : row.to}<//><${Cell} label=${t('campaign.variables')}>${Object.values(row.variables ?? {}).join(' · ')}<//><${Cell} label=${t('state')}><span><${Badge} kind=${{ read: 'info', delivered: 'ok', failed: 'bad', skipped: 'warn' }[row.status] ?? 'plain'}>${t(`status.${row.status}`)}<//> <small>${whyNot(row)}</small></span><//><${Cell} label=${t('time')}>${row.updated_at ? moment(row.updated_at) : '—'}<//></tr>`)}<//>`}
      ${people.cursor && html`<div class="more"><${Button} onClick=${more}>${t('more')}<//></div>`}</section>`;
}

export function CampaignsPage({ id }) {
  const [state, setState] = useState({});
  const [isMaking, setMaking] = useState(false);
  const load = () => get('/v1/campaigns?limit=100').then((found) => setState({ campaigns: found.data }), (error) => setState({ error }));
  useEffect(() => {
    load();
    return onEvent((event) => (event === null || event.type.startsWith('campaign.')) && load());
  }, [id]);
  const { campaigns, error } = state;
  const make = html`<${Button} icon="plus" kind="primary" onClick=${() => setMaking(true)}>${t('campaign.new')}<//>`;
  return html`<${Page} title=${t('nav.campaigns')} lead=${t('campaigns.lead')} actions=${html`${id && html`<${Button} icon="back" onClick=${() => go('campaigns')}>${t('back')}<//>`}${make}`}>
    ${id ? html`<${Detail} key=${id} id=${id} />` : html`${error && html`<${Failure} error=${error} onRetry=${load} />`}${!campaigns && !error && html`<${Spinner} />`}
      ${campaigns?.length === 0 && html`<${Empty} icon="campaigns" title=${t('campaigns.none')}><p>${t('campaigns.none.text')}</p><div>${make}</div><//>`}
      <div class="cards">${(campaigns ?? []).map((one) => html`<article class="card" key=${one.id}><header><div><h2>${one.name}</h2><p>${[one.template.name, one.progress.total ? tn('campaign.recipients', one.progress.total) : null, one.status === 'scheduled' && one.send_at ? moment(one.send_at) : null].filter(Boolean).join(' · ')}</p></div><${Badge} kind=${KIND[one.status]}>${t(`campaign.is.${one.status}`)}<//></header><${Progress} campaign=${one} />
        <footer><${Button} small onClick=${() => go('campaigns', one.id)}>${t('campaign.open')}<//><${Actions} campaign=${one} onChanged=${load} /></footer></article>`)}</div>`}
    ${isMaking && html`<${NewCampaign} onClose=${() => setMaking(false)} onMade=${(made) => { setMaking(false); load(); go('campaigns', made.id); }} />`}<//>`;
}
