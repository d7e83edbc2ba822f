// The Cluster page: every process, the plan, the queue, and the last hour.
import { cx, html, useEvery, useState } from '../ui.js';
import { get } from '../api.js';
import { Icon } from '../icons.js';
import { Badge, Failure, Page, Spinner } from '../widgets.js';
import { LineChart } from '../charts.js';
import { ago, bytes, clock, clockSeconds, duration, moment, number, t, tn, word } from '../words.js';

const LOOK_MS = 2_000;
const HISTORY_MS = 10_000;
const HOUR_MS = 3_600_000;
const MB = 1024 * 1024;
const ORDER = { whatsapp: 0, worker: 1, main: 2, sandbox: 3, database: 4 };
const OLD_S = 30;
const GOOD = new Set(['ready', 'owner', 'standby']);

function Meter({ label, value, most, words, tone }) {
  const part = most ? Math.min(1, value / most) : 0;
  return html`<div class="meter"><div class="meter-head"><span>${label}</span><span>${words}</span></div>
    <div class="meter-track" role="meter" aria-label=${label} aria-valuemin="0" aria-valuemax=${most || 1} aria-valuenow=${value} aria-valuetext=${words}><i class=${cx(tone, { high: part > 0.85 })} style=${{ width: `${part * 100}%` }}></i></div></div>`;
}

const limitOf = (process, plan) => ({ worker: plan?.worker_memory_mb, whatsapp: plan?.queen_memory_mb, main: plan?.base_memory_mb, sandbox: plan?.sandbox_memory_mb, database: plan?.database_memory_mb }[process.role] ?? 0) * MB;

function ProcessCard({ process, plan, rate }) {
  const owner = process.whatsapp;
  const state = owner?.state && process.state === 'ready' ? owner.state : process.state;
  const isGood = GOOD.has(state);
  const limit = limitOf(process, plan);
  const facts = [
    [t('process.pid'), html`<code>${process.pid || '—'}</code>`],
    [t('process.uptime'), process.started_at && process.pid ? duration((Date.now() - new Date(process.started_at)) / 1000) : '—'],
    ...(process.role === 'worker' ? [[t('process.rate'), number(rate ?? 0, 1)], [t('process.p95'), `${number(process.p95_ms, 1)} ms`], [t('process.lag'), `${number(process.loop_lag_ms, 1)} ms`]] : []),
    ...(owner ? [[t('process.queue'), number(owner.queue_depth ?? 0)], [t('process.queue_age'), duration(owner.queue_age_s ?? 0)], [t('process.sending'), number(owner.sending ?? 0)], [t('process.epoch'), owner.epoch ?? '—']] : []),
    ...(process.cpu_percent !== undefined && process.role !== 'worker' && !owner ? [[t('process.cpu'), `${number(process.cpu_percent, 1)} %`]] : []),
  ];
  return html`<article class=${cx('process', process.role, { bad: !isGood, restarted: process.restarts > 0 })} id=${process.name} tabindex="-1" data-process=${process.name} data-restarts=${process.restarts} data-pid=${process.pid}>
    <header><span class="cell small"><${Icon} name=${{ whatsapp: 'phone', database: 'file', sandbox: 'play', main: 'bolt' }[process.role] ?? 'cluster'} size=${18} /></span>
      <div><h3>${word('role', process.role)}</h3><p>${process.name}</p></div><${Badge} kind=${isGood ? 'ok' : 'bad'}>${word('process.state', state)}<//></header>
    <dl>${facts.map(([name, value]) => html`<div key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
    <${Meter} label=${t('process.memory')} value=${process.rss_bytes} most=${limit} words=${limit ? `${bytes(process.rss_bytes)} / ${bytes(limit)}` : bytes(process.rss_bytes)} />
    ${process.pool_max > 0 && html`<${Meter} label=${t('process.pool')} value=${process.pool_checked_out} most=${process.pool_max} words=${`${process.pool_checked_out} / ${process.pool_max}`} tone="info" />`}
    ${process.restarts > 0 && html`<p class="process-note"><${Icon} name="retry" size=${15} />${tn('process.restarts', process.restarts)}${process.last_exit ? ` · ${process.last_exit}` : ''}</p>`}
    ${process.breaker === 'open' && html`<p class="process-note bad"><${Icon} name="alert" size=${15} />${t('process.breaker')}</p>`}</article>`;
}

function PlanBar({ plan, totals }) {
  if (!plan) return null;
  const most = plan.max_connections;
  const workers = plan.worker_connections;
  const owner = plan.pool_queen;
  const reserve = plan.total_connections - workers - owner;
  const parts = [['workers', workers], ['owner', owner], ['reserve', reserve], ['free', Math.max(0, most - plan.total_connections)]];
  return html`<section class="card plan"><header><h2>${t('plan.title')}</h2><p>${t('plan.lead', { total: plan.total_connections, most, free: plan.margin })}</p></header>
    <div class="plan-bar" role="img" aria-label=${parts.map(([name, value]) => `${t(`plan.${name}`)}: ${value}`).join(', ')}>${parts.map(([name, value]) => html`<i key=${name} class=${name} style=${{ flexGrow: String(value) }}>${value / most > 0.05 ? value : ''}</i>`)}</div>
    <ul class="legend">${parts.map(([name, value]) => html`<li key=${name}><i class=${name}></i>${t(`plan.${name}`)} <strong>${value}</strong></li>`)}
      <li class="push">${t('plan.in_use')} <strong>${totals.db_in_use}</strong></li><li>${t('plan.cpus')} <strong>${plan.cpus}</strong></li><li>${t('plan.memory')} <strong>${bytes(totals.rss_bytes)} / ${bytes(plan.memory_mb * MB)}</strong></li></ul></section>`;
}

const series = (samples, pick) => samples.map((one) => [new Date(one.at).getTime(), pick(one)]);
/** Counters become rates; a counter that falls began anew with its process. */
export function rates(samples, name) {
  return samples.slice(1).map((one, position) => {
    const before = samples[position];
    const seconds = (new Date(one.at) - new Date(before.at)) / 1000;
    return [new Date(one.at).getTime(), seconds > 0 ? Math.max(0, one[name] - before[name]) / seconds : 0];
  });
}

function Charts({ samples }) {
  const to = Date.now();
  const frame = { from: to - HOUR_MS, to };
  const perS = (value) => `${number(value, 1)}/s`;
  return html`<section class="card"><header><h2>${t('charts.title')}</h2><p>${t('charts.lead')}</p></header><div class="charts">
    <${LineChart} title=${t('chart.requests')} points=${rates(samples, 'requests')} format=${perS} ...${frame} />
    <${LineChart} title=${t('chart.p95')} points=${series(samples, (one) => one.p95_ms)} format=${(value) => `${number(value, 1)} ms`} tone="info" ...${frame} />
    <${LineChart} title=${t('chart.events')} points=${rates(samples, 'events')} format=${perS} tone="ok" ...${frame} />
    <${LineChart} title=${t('chart.queue')} points=${series(samples, (one) => one.queue_depth)} format=${(value) => number(value, 1)} tone="bad" ...${frame} />
    <${LineChart} title=${t('chart.memory')} points=${series(samples, (one) => one.rss_bytes)} format=${bytes} tone="plain" ...${frame} />
    <${LineChart} title=${t('chart.pool')} points=${series(samples, (one) => one.pool_in_use)} format=${(value) => number(value, 1)} tone="info" ...${frame} /></div></section>`;
}

/** What is wrong, in words; empty when all is well. */
function faultsOf(processes, owner, totals, wanted) {
  const faults = processes.filter((one) => !GOOD.has(one.state)).map((one) => `${one.name}: ${word('process.state', one.state)}`);
  if (totals.workers < wanted) faults.push(t('verdict.workers', { count: totals.workers, wanted }));
  if ((owner.queue_age_s ?? 0) > OLD_S) faults.push(t('verdict.queue', { count: number(owner.queue_depth), age: duration(owner.queue_age_s) }));
  return faults;
}

const LETTERS = { main: 'M', whatsapp: 'W', sandbox: 'S', database: 'DB' };
function Verdict({ processes, owner, totals, wanted, startedAt }) {
  const faults = faultsOf(processes, owner, totals, wanted);
  const isBad = faults.length > 0;
  const show = (name) => (event) => { event.preventDefault(); const card = document.getElementById(name); card?.scrollIntoView({ block: 'center', behavior: 'smooth' }); card?.focus({ preventScroll: true }); };
  return html`<section class=${cx('overall', { bad: isBad })} aria-label=${t('verdict')}><div class="verdict" role="status"><span class="cell"><${Icon} name=${isBad ? 'alert' : 'check'} size=${22} /></span>
      <div><h2>${t(isBad ? 'verdict.bad' : 'verdict.good')}</h2><p>${isBad ? faults.join(' · ') : t('verdict.good.text', { count: processes.length, time: startedAt ? ago(startedAt) : '—' })}</p></div></div>
    <div class="comb" role="group" aria-label=${t('verdict.comb')}>${processes.map((process) => html`<a key=${process.name} href=${`#${process.name}`} class=${cx(process.role, { bad: !GOOD.has(process.state), worn: process.restarts > 0 && GOOD.has(process.state) })}
      title=${`${process.name} · ${word('process.state', process.state)}`} onClick=${show(process.name)}><span aria-hidden="true">${LETTERS[process.role] ?? Number(process.name.split('-')[2] ?? 0) + 1}</span><span class="visually-hidden">${process.name}: ${word('process.state', process.state)}</span></a>`)}</div></section>`;
}

const STRIP_STEPS = 6;
function Strip({ events }) {
  const to = Date.now();
  const shown = events.filter((event) => to - new Date(event.at) < HOUR_MS);
  const steps = [...Array(STRIP_STEPS + 1).keys()];
  return html`<div class="strip" role="img" aria-label=${t('timeline.strip', { count: shown.length })}>${shown.map((event) => html`<i key=${`${event.at}${event.name}${event.kind}`} class=${event.kind} title=${`${clockSeconds(event.at)} · ${word('cluster.event', event.kind)} · ${event.name}`} style=${{ left: `${(1 - (to - new Date(event.at)) / HOUR_MS) * 100}%` }}></i>`)}
    ${steps.map((step) => html`<span key=${step} aria-hidden="true" style=${{ left: `${(step / STRIP_STEPS) * 100}%` }}>${clock(to - HOUR_MS + (step / STRIP_STEPS) * HOUR_MS)}</span>`)}</div>`;
}

function TimeLine({ events }) {
  return html`<section class="card"><header><h2>${t('timeline.title')}</h2></header><${Strip} events=${events} />${events.length === 0 ? html`<p class="muted">${t('timeline.none')}</p>`
    : html`<ol class="timeline">${events.slice(0, 30).map((event) => html`<li key=${`${event.at}${event.name}${event.kind}`} class=${event.kind}><time datetime=${event.at} title=${moment(event.at)}>${clockSeconds(event.at)}</time><strong>${word('cluster.event', event.kind)}</strong><span>${event.name}${event.pid ? html` <code>${event.pid}</code>` : null}</span><small>${event.reason}</small></li>`)}</ol>`}</section>`;
}

export function ClusterPage() {
  const [state, setState] = useState({});
  const [history, setHistory] = useState([]);
  useEvery(async () => {
    try {
      const cluster = await get('/v1/cluster');
      setState((before) => ({ cluster, before: before.cluster, at: Date.now(), beforeAt: before.at }));
    } catch (error) {
      setState((before) => ({ ...before, error }));
    }
  }, LOOK_MS);
  useEvery(() => get('/console/history?minutes=60').then((found) => setHistory(found.data), () => {}), HISTORY_MS);
  const { cluster, before, at, beforeAt, error } = state;
  if (!cluster) return html`<${Page} title=${t('nav.cluster')}>${error ? html`<${Failure} error=${error} />` : html`<${Spinner} />`}<//>`;
  const rateOf = (process) => {
    const earlier = before?.processes.find((one) => one.name === process.name && one.pid === process.pid);
    return earlier ? Math.max(0, process.requests - earlier.requests) / ((at - beforeAt) / 1000) : 0;
  };
  const processes = [...cluster.processes].sort((a, b) => (ORDER[a.role] ?? 9) - (ORDER[b.role] ?? 9) || a.name.localeCompare(b.name));
  const owner = processes.find((one) => one.role === 'whatsapp')?.whatsapp ?? {};
  const numbers = [
    [t('total.workers'), `${cluster.totals.workers}`, t('total.workers.of', { wanted: cluster.main?.workers_wanted ?? cluster.totals.workers })],
    [t('total.requests'), number(processes.reduce((sum, one) => sum + rateOf(one), 0), 1), t('total.requests.of')],
    [t('total.queue'), number(owner.queue_depth ?? 0), t('total.queue.of', { age: duration(owner.queue_age_s ?? 0) })],
    [t('total.link'), word('link', Object.values(owner.links ?? {})[0] ?? owner.state ?? 'down'), tn('total.link.of', Object.keys(owner.links ?? {}).length)],
    [t('total.restarts'), number(cluster.totals.restarts), cluster.main?.started_at ? t('total.restarts.of', { time: ago(cluster.main.started_at) }) : ''],
  ];
  const open = cluster.main?.open_breakers ?? [];
  return html`<${Page} title=${t('nav.cluster')} lead=${t('cluster.lead')} class="cluster">
    ${open.length > 0 && html`<div class="banner" role="alert"><${Icon} name="alert" size=${18} /><p><strong>${t('cluster.breaker', { names: open.join(', ') })}</strong> ${t('cluster.breaker.do')}</p></div>`}
    <${Verdict} processes=${processes} owner=${owner} totals=${cluster.totals} wanted=${cluster.main?.workers_wanted ?? cluster.totals.workers} startedAt=${cluster.main?.started_at} />
    <div class="totals">${numbers.map(([name, value, more]) => html`<div class="total" key=${name}><span>${name}</span><strong>${value}</strong><small>${more}</small></div>`)}</div>
    <div class="processes">${processes.map((process) => html`<${ProcessCard} key=${process.name} process=${process} plan=${cluster.plan} rate=${rateOf(process)} />`)}</div>
    <${PlanBar} plan=${cluster.plan} totals=${cluster.totals} /><${Charts} samples=${history} /><${TimeLine} events=${cluster.events ?? []} /><//>`;
}
