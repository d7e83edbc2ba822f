// Choose a template, fill its variables, see what the customer will see.
import { cx, html, useMemo, useState } from '../ui.js';
import { Button, Dialog, Empty, Field } from '../widgets.js';
import { Icon } from '../icons.js';
import { fillTemplate, rich } from './content.js';
import { t } from '../words.js';

const VARIABLE = /\{\{\s*(\w+)\s*\}\}/g;

/** Every blank of a template: in its header, its body and its URL buttons. */
export function blanksOf(template) {
  const blanks = [];
  for (const part of template.components ?? []) {
    const kind = part.type?.toLowerCase();
    if (kind === 'header' && ['IMAGE', 'VIDEO', 'DOCUMENT'].includes(part.format)) blanks.push({ kind, media: part.format.toLowerCase(), name: part.format.toLowerCase() });
    else if (kind === 'header' || kind === 'body') {
      for (const name of new Set([...String(part.text ?? '').matchAll(VARIABLE)].map(([, found]) => found))) blanks.push({ kind, name });
    } else if (kind === 'buttons') {
      part.buttons?.forEach((button, index) => { if (/\{\{/.test(button.url ?? '')) blanks.push({ kind: 'button', sub_type: 'url', index: String(index), name: button.text }); });
    }
  }
  return blanks.map((blank, position) => ({ ...blank, position }));
}

/** The `components` of a message for what was typed. */
export function componentsOf(blanks, values) {
  const parts = new Map();
  for (const blank of blanks) {
    const key = `${blank.kind}${blank.index ?? ''}`;
    const part = parts.get(key) ?? { type: blank.kind, ...(blank.kind === 'button' ? { sub_type: 'url', index: blank.index } : {}), parameters: [] };
    const value = values[blank.position] ?? '';
    part.parameters.push(blank.media ? { type: blank.media, [blank.media]: /^https?:/.test(value) ? { link: value } : { id: value } }
      : { type: 'text', ...(/^\d+$/.test(blank.name) || blank.kind === 'button' ? {} : { parameter_name: blank.name }), text: value });
    parts.set(key, part);
  }
  return [...parts.values()];
}

export function TemplatePreview({ template, components }) {
  const filled = fillTemplate(template.components, components);
  return html`<div class="bubble-line out preview"><div class="bubble-box"><div class="bubble">
    ${filled.media && html`<span class="file"><${Icon} name="image" />${filled.media.type}</span>`}${filled.header && html`<p class="header">${filled.header}</p>`}
    <p class="text">${rich(filled.body)}</p>${filled.footer && html`<p class="footer">${filled.footer}</p>`}
    ${filled.buttons.length > 0 && html`<div class="choices">${filled.buttons.map((button) => html`<span class="choice">${button.text}</span>`)}</div>`}</div></div></div>`;
}

/** The list and the form; `onPick` gets the template object of a message. */
export function TemplatePicker({ catalogue, onClose, onPick, sendWords }) {
  const usable = useMemo(() => catalogue.filter((one) => one.status === 'APPROVED'), [catalogue]);
  const [chosen, setChosen] = useState(usable.length === 1 ? usable[0] : null);
  const [search, setSearch] = useState('');
  const [values, setValues] = useState({});
  const blanks = chosen ? blanksOf(chosen) : [];
  const components = componentsOf(blanks, values);
  const isReady = chosen && blanks.every((blank) => values[blank.position]?.trim());
  const pick = () => onPick({ name: chosen.name, language: { code: chosen.language }, ...(components.length ? { components } : {}) });
  const shown = usable.filter((one) => `${one.name} ${one.language} ${one.category}`.toLowerCase().includes(search.toLowerCase()));
  return html`<${Dialog} title=${t('template.choose')} onClose=${onClose} isWide footer=${html`<${Button} onClick=${onClose}>${t('cancel')}<//><${Button} kind="primary" icon="send" disabled=${!isReady} onClick=${pick}>${sendWords ?? t('template.send')}<//>`}>
    ${usable.length === 0 ? html`<${Empty} icon="template" title=${t('template.none')}><p>${t('template.none.text')}</p><//>` : html`<div class="picker">
      <div class="picker-list"><${Field} label=${t('template.search')} isHidden kind="search" placeholder=${t('template.search')} value=${search} onInput=${(event) => setSearch(event.target.value)} />
        <ul>${shown.map((one) => html`<li key=${`${one.name} ${one.language}`}><button type="button" class=${cx('picker-item', { chosen: one === chosen })} aria-pressed=${one === chosen ? 'true' : 'false'} onClick=${() => { setChosen(one); setValues({}); }}>
          <strong>${one.name}</strong><small>${one.language} · ${one.category?.toLowerCase() ?? ''}</small></button></li>`)}</ul></div>
      <div class="picker-form">${chosen ? html`${blanks.map((blank) => html`<${Field} key=${`${chosen.name}${blank.position}`} label=${blank.media ? t('template.media', { kind: blank.name }) : t('template.blank', { name: blank.name })} required value=${values[blank.position] ?? ''} onInput=${(event) => setValues({ ...values, [blank.position]: event.target.value })} />`)}
        <p class="picker-caption">${t('template.preview')}</p><div class="picker-preview"><${TemplatePreview} template=${chosen} components=${components} /></div>` : html`<p class="muted">${t('template.hint')}</p>`}</div></div>`}<//>`;
}
