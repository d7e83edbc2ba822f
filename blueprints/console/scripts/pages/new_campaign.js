// A new campaign in one window: template, people from a CSV file or a label, when and how fast, and a preview of it all.
import { html, useMemo, useState } from '../ui.js';
import { api, post } from '../api.js';
import { session } from '../session.js';
import { Button, Dialog, Field, Tabs } from '../widgets.js';
import { useCatalogue } from '../inbox/catalogue.js';
import { TemplatePreview, blanksOf, componentsOf } from '../inbox/template_picker.js';
import { CsvDrop } from './csv_drop.js';
import { t, tn } from '../words.js';

const TO = /^(to|phone|telefono|teléfono|numero|número|wa_id|whatsapp)$/i;

export function NewCampaign({ onClose, onMade }) {
  const catalogue = useCatalogue();
  const usable = useMemo(() => catalogue.filter((one) => one.status === 'APPROVED'), [catalogue]);
  const [name, setName] = useState('');
  const [pick, setPick] = useState('');
  const [audience, setAudience] = useState('csv');
  const [label, setLabel] = useState('');
  const [file, setFile] = useState(null);
  const [rows, setRows] = useState([]);
  const [values, setValues] = useState({});
  const [at, setAt] = useState('');
  const [rate, setRate] = useState('');
  const [fault, setFault] = useState(null);
  const [isBusy, setBusy] = useState(false);
  const template = usable.find((one) => `${one.name}/${one.language}` === pick);
  const blanks = template ? blanksOf(template) : [];
  const columns = (rows[0] ?? []).filter((column) => !TO.test(column.trim()));
  const hasTo = audience === 'label' || rows.length === 0 || rows[0].some((column) => TO.test(column.trim()));
  const filled = Object.fromEntries(blanks.map((blank) => [blank.position, values[blank.position] ?? (columns[blank.position] ? `{{${columns[blank.position].trim()}}}` : '')]));
  const components = componentsOf(blanks, filled);
  const sample = (text, row) => text.replace(/\{\{\s*([\w-]+)\s*\}\}/g, (whole, column) => row?.[(rows[0] ?? []).findIndex((one) => one.trim() === column)] ?? whole);
  const shown = JSON.parse(JSON.stringify(components), (key, value) => (key === 'text' || key === 'link') && typeof value === 'string' ? sample(value, rows[1]) : value);
  const isReady = name.trim() && template && (audience === 'csv' ? file && rows.length > 1 && hasTo : label.trim()) && blanks.every((blank) => filled[blank.position]);
  const save = async (start) => {
    setBusy(true);
    setFault(null);
    try {
      const order = {
        name: name.trim(),
        template: { name: template.name, language: { code: template.language }, ...(components.length ? { components } : {}) },
        category: (template.category ?? 'MARKETING').toLowerCase(),
        ...(at ? { send_at: new Date(at).toISOString() } : {}),
        ...(rate ? { rate_per_minute: Number(rate) } : {}),
        ...(audience === 'label' ? { audience: { label: label.trim() } } : {}),
      };
      let made = await post('/v1/campaigns', order, { headers: { 'idempotency-key': `${session.get().key_id}-${Date.now()}` } });
      if (audience === 'csv') {
        const report = await api('POST', `/v1/campaigns/${made.id}/recipients`, { body: file, headers: { 'content-type': 'text/csv' } });
        if (!report.added) throw Object.assign(new Error(report.errors[0]?.reason ?? t('campaign.people.none')), { words: report.errors.map((one) => `${t('import.line', { line: one.line })}: ${one.path} ${one.reason}`).slice(0, 3).join(' · ') });
      }
      if (start) made = await post(`/v1/campaigns/${made.id}/start`);
      onMade(made);
    } catch (error) {
      setFault(error.words ?? error.message);
      setBusy(false);
    }
  };
  return html`<${Dialog} title=${t('campaign.new')} isWide onClose=${onClose} footer=${html`<${Button} onClick=${onClose}>${t('cancel')}<//><${Button} isBusy=${isBusy} disabled=${!isReady} onClick=${() => save(false)}>${t('campaign.draft')}<//><${Button} kind="primary" icon="send" isBusy=${isBusy} disabled=${!isReady} onClick=${() => save(true)}>${t(at ? 'campaign.schedule' : 'campaign.start')}<//>`}>
    ${fault && html`<p class="notice bad" role="alert">${fault}</p>`}
    <div class="split"><div><${Field} label=${t('campaign.name')} autofocus value=${name} maxlength="200" onInput=${(event) => setName(event.target.value)} />
      <${Field} label=${t('kind.template')} kind="select" value=${pick} onChange=${(event) => { setPick(event.target.value); setValues({}); }} options=${[['', t('campaign.template.choose')], ...usable.map((one) => [`${one.name}/${one.language}`, `${one.name} · ${one.language}`])]} />
      <${Tabs} label=${t('campaign.audience')} chosen=${audience} onChoose=${setAudience} tabs=${[['csv', t('campaign.csv')], ['label', t('campaign.label')]]} />
      ${audience === 'csv' ? html`<${CsvDrop} file=${file} onFile=${setFile} onRows=${setRows} hint=${t('campaign.csv.hint')} />${!hasTo && html`<p class="notice bad">${t('campaign.csv.no_to')}</p>`}` : html`<${Field} label=${t('campaign.label.name')} hint=${t('campaign.label.hint')} value=${label} onInput=${(event) => setLabel(event.target.value)} />`}</div>
    <div>${blanks.map((blank) => html`<${Field} key=${`${pick}${blank.position}`} label=${t('template.blank', { name: blank.name })} hint=${columns.length ? t('campaign.blank.hint', { columns: columns.map((one) => `{{${one.trim()}}}`).join(' ') }) : null} value=${filled[blank.position]} onInput=${(event) => setValues({ ...values, [blank.position]: event.target.value })} />`)}
      <${Field} label=${t('campaign.when')} kind="datetime-local" value=${at} onInput=${(event) => setAt(event.target.value)} /><${Field} label=${t('campaign.rate.field')} kind="number" min="1" placeholder="∞" value=${rate} onInput=${(event) => setRate(event.target.value)} />
      ${template && html`<p class="picker-caption">${t('campaign.preview')}${rows.length > 1 ? ` · ${tn('csv.rows', rows.length - 1)}` : ''}</p><div class="picker-preview"><${TemplatePreview} template=${template} components=${shown} /></div>`}${!template && html`<p class="preview-none">${t('template.hint')}</p>`}</div></div><//>`;
}
