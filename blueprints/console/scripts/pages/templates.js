// The templates of the account: what they say, whether WhatsApp approved them, and new ones with a live preview.
import { html, useEffect, useState } from '../ui.js';
import { del, get, post } from '../api.js';
import { onEvent } from '../live.js';
import { Icon } from '../icons.js';
import { Badge, Button, Dialog, Empty, Failure, Field, Page, Spinner, failed, toast } from '../widgets.js';
import { TemplatePreview } from '../inbox/template_picker.js';
import { loadCatalogue } from '../inbox/catalogue.js';
import { t, word } from '../words.js';

const KIND = { APPROVED: 'ok', PENDING: 'warn', REJECTED: 'bad', PAUSED: 'warn', DISABLED: 'bad' };
const LANGUAGES = ['es', 'es_MX', 'es_AR', 'es_ES', 'en_US', 'en_GB', 'en', 'pt_BR', 'fr', 'de', 'it'];
const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;

function NewTemplate({ onClose, onMade }) {
  const [form, setForm] = useState({ name: '', language: 'es', category: 'UTILITY', header: '', body: '', footer: '', buttons: '' });
  const [samples, setSamples] = useState({});
  const [fault, setFault] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const set = (name) => (event) => setForm({ ...form, [name]: event.target.value });
  const blanks = [...new Set([...form.body.matchAll(VARIABLE)].map(([, name]) => name))];
  const isNamed = blanks.some((name) => !/^\d+$/.test(name));
  const buttons = form.buttons.split('\n').map((line) => line.trim()).filter(Boolean).slice(0, 10);
  const example = blanks.length ? { example: isNamed ? { body_text_named_params: blanks.map((name) => ({ param_name: name, example: samples[name] ?? '' })) } : { body_text: [blanks.map((name) => samples[name] ?? '')] } } : {};
  const components = [
    ...(form.header ? [{ type: 'HEADER', format: 'TEXT', text: form.header }] : []),
    { type: 'BODY', text: form.body, ...example },
    ...(form.footer ? [{ type: 'FOOTER', text: form.footer }] : []),
    ...(buttons.length ? [{ type: 'BUTTONS', buttons: buttons.map((text) => ({ type: 'QUICK_REPLY', text })) }] : []),
  ];
  const given = [{ type: 'body', parameters: blanks.map((name) => ({ type: 'text', text: samples[name] || `{{${name}}}`, ...(isNamed ? { parameter_name: name } : {}) })) }];
  const save = async () => {
    setBusy(true);
    try {
      onMade(await post('/v1/templates', { name: form.name, language: form.language, category: form.category, ...(isNamed ? { parameter_format: 'NAMED' } : {}), components }));
    } catch (error) {
      setFault(error.words);
      setBusy(false);
    }
  };
  const isReady = form.name && form.body && blanks.every((name) => samples[name]);
  return html`<${Dialog} title=${t('templates.new')} isWide onClose=${onClose} footer=${html`<${Button} onClick=${onClose}>${t('cancel')}<//><${Button} kind="primary" isBusy=${isBusy} disabled=${!isReady} onClick=${save}>${t('templates.submit')}<//>`}>
    <div class="split"><div><${Field} label=${t('keys.name')} hint=${t('templates.name.hint')} error=${fault} autofocus value=${form.name} pattern="[a-z0-9_]+" onInput=${(event) => setForm({ ...form, name: event.target.value.toLowerCase().replace(/[^a-z0-9_]/g, '_') })} />
      <div class="split"><${Field} label=${t('switch.language')} kind="select" value=${form.language} onChange=${set('language')} options=${LANGUAGES.map((code) => [code, code])} />
      <${Field} label=${t('templates.category')} kind="select" value=${form.category} onChange=${set('category')} options=${['UTILITY', 'MARKETING'].map((one) => [one, word('category', one.toLowerCase())])} /></div>
      <${Field} label=${t('templates.header')} maxlength="60" value=${form.header} onInput=${set('header')} />
      <${Field} label=${t('templates.body')} kind="textarea" rows="5" maxlength="1024" hint=${t('templates.body.hint')} value=${form.body} onInput=${set('body')} />
      ${blanks.map((name) => html`<${Field} key=${name} label=${t('templates.sample', { name })} value=${samples[name] ?? ''} onInput=${(event) => setSamples({ ...samples, [name]: event.target.value })} />`)}
      <${Field} label=${t('templates.footer')} maxlength="60" value=${form.footer} onInput=${set('footer')} /><${Field} label=${t('templates.buttons')} kind="textarea" rows="2" value=${form.buttons} onInput=${set('buttons')} /></div>
      <div><p class="picker-caption">${t('template.preview')}</p><div class="picker-preview"><${TemplatePreview} template=${{ components }} components=${given} /></div></div></div><//>`;
}

export function TemplatesPage() {
  const [state, setState] = useState({});
  const [isMaking, setMaking] = useState(false);
  const [ending, setEnding] = useState(null);
  const [search, setSearch] = useState('');
  const load = () => get('/v1/templates?limit=200').then((found) => setState({ templates: found.data }), (error) => setState({ error }));
  useEffect(() => {
    load();
    return onEvent((event) => (event === null || event.type.startsWith('template.')) && load());
  }, []);
  const after = () => { load(); loadCatalogue(); };
  const sync = () => post('/v1/templates/sync').then(() => { toast(t('templates.synced')); after(); }, failed);
  const { templates, error } = state;
  const shown = (templates ?? []).filter((one) => `${one.name} ${one.language} ${JSON.stringify(one.components)}`.toLowerCase().includes(search.toLowerCase()));
  return html`<${Page} title=${t('nav.templates')} lead=${t('templates.lead')} actions=${html`<${Button} icon="retry" onClick=${sync}>${t('templates.sync')}<//><${Button} icon="plus" kind="primary" onClick=${() => setMaking(true)}>${t('templates.new')}<//>`}>
    <div class="filters"><div class="search"><${Icon} name="search" size=${18} /><input type="search" value=${search} placeholder=${t('template.search')} aria-label=${t('template.search')} onInput=${(event) => setSearch(event.target.value)} /></div></div>
    ${error && html`<${Failure} error=${error} onRetry=${load} />`}${!templates && !error && html`<${Spinner} />`}${templates && shown.length === 0 && html`<${Empty} icon="templates" title=${t('templates.none')}><p>${t('template.none.text')}</p><//>`}
    <div class="cards">${shown.map((one) => html`<article class="card template-card" key=${one.id}><header><div><h2>${one.name}</h2><p>${one.language} · ${word('category', one.category?.toLowerCase())}</p></div><${Badge} kind=${KIND[one.status] ?? 'plain'}>${word('template.status', one.status.toLowerCase())}<//></header>
      ${one.rejected_reason && one.rejected_reason !== 'NONE' && html`<p class="notice bad">${one.rejected_reason}</p>`}
      <div class="picker-preview"><${TemplatePreview} template=${one} components=${[]} /></div><footer><${Button} small icon="trash" kind="danger" onClick=${() => setEnding(one)}>${t('delete')}<//></footer></article>`)}</div>
    ${isMaking && html`<${NewTemplate} onClose=${() => setMaking(false)} onMade=${() => { setMaking(false); toast(t('templates.sent')); after(); }} />`}
    ${ending && html`<${Dialog} title=${t('templates.delete', { name: ending.name })} onClose=${() => setEnding(null)} footer=${html`<${Button} onClick=${() => setEnding(null)}>${t('cancel')}<//><${Button} kind="danger" onClick=${() => del(`/v1/templates/${ending.id}`).then(() => { setEnding(null); after(); }, failed)}>${t('delete')}<//>`}><p>${t('templates.delete.text')}</p><//>`}<//>`;
}
