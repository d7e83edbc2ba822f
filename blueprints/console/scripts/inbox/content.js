// What is inside a bubble: every kind of message, in both directions.
import { html, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { bytes, t, word } from '../words.js';

const MARKS = [[/^```([\s\S]+?)```/, 'code'], [/^\*(?=\S)([^*\n]+?)\*/, 'strong'], [/^_(?=\S)([^_\n]+?)_/, 'em'], [/^~(?=\S)([^~\n]+?)~/, 's']];
const URL_START = /^https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/;

/** WhatsApp's own marks (*bold*, _italic_, ~struck~, ```code```) and links, as elements and never as HTML. */
export function rich(text) {
  const parts = [];
  let plain = '';
  const flush = () => { if (plain) parts.push(plain); plain = ''; };
  let rest = String(text ?? '');
  let before = ' ';
  while (rest) {
    const url = rest.match(URL_START);
    const mark = !/[\p{L}\p{N}]/u.test(before) && MARKS.map(([pattern, tag]) => [rest.match(pattern), tag]).find(([found]) => found);
    if (url) {
      flush();
      parts.push(html`<a href=${url[0]} target="_blank" rel="noopener noreferrer nofollow">${url[0]}</a>`);
      rest = rest.slice(url[0].length);
    } else if (mark) {
      flush();
      const [[whole, inner], Tag] = mark;
      parts.push(html`<${Tag}>${Tag === 'code' ? inner : rich(inner)}<//>`);
      rest = rest.slice(whole.length);
    } else {
      [before] = rest;
      plain += before;
      rest = rest.slice(before.length);
    }
  }
  flush();
  return parts;
}

const BARE = MARKS.map(([pattern]) => new RegExp(`(?<![\\p{L}\\p{N}])${pattern.source.slice(1)}(?![\\p{L}\\p{N}])`, 'gu'));

/** The same words without the marks, in one line. */
export const unmarked = (text) => BARE.reduce((rest, pattern) => rest.replace(pattern, '$1'), String(text ?? '').replace(/\s+/g, ' '));

const MOST_TRIES = 3;
const mediaUrl = (medium) => (medium?.id ? `/v1/media/${encodeURIComponent(medium.id)}/content` : medium?.link);

/** An address that may become a link: of the web, or a path of ours. Anything else (javascript:, data:) is none. */
export const webAddress = (text) => (/^(https?:\/\/|\/(?![\/\\])|blob:)/i.test(String(text ?? '')) ? String(text) : null);

function Medium({ kind, medium, urlOf, isFresh }) {
  const [tries, setTries] = useState(0);
  const hasFailed = tries > MOST_TRIES;
  const plain = isFresh ? null : webAddress((urlOf ?? mediaUrl)(medium));
  const url = plain && tries ? `${plain}?try=${tries}` : plain;
  const name = medium?.filename ?? t(`kind.${kind}`);
  const isShown = url && !hasFailed && (url.startsWith('/') || url.startsWith('blob:'));
  // WhatsApp may need a moment before it hands a file out.
  const onError = () => setTimeout(() => setTries((count) => count + 1), tries * 800 + 400);
  if (isShown && (kind === 'image' || kind === 'sticker')) {
    return html`<a class=${`medium ${kind}`} href=${url} target="_blank" rel="noopener"><img src=${url} alt=${medium.caption || t(`kind.${kind}`)} loading="lazy" onError=${onError} /></a>`;
  }
  if (isShown && kind === 'video') return html`<video class="medium" src=${url} controls preload="metadata" onError=${onError}></video>`;
  if (isShown && kind === 'audio') return html`<audio class="medium" src=${url} controls preload="metadata" onError=${onError}></audio>`;
  const icon = { image: 'image', video: 'play', audio: 'mic', sticker: 'image' }[kind] ?? 'file';
  const inside = html`<${Icon} name=${icon} /><span>${name}${medium?.file_size ? html`<small>${bytes(medium.file_size)}</small>` : null}</span>`;
  return url ? html`<a class="file" href=${url} target="_blank" rel="noopener noreferrer">${inside}<${Icon} name="download" size=${16} /></a>` : html`<span class="file">${inside}</span>`;
}

const Caption = ({ text }) => (text ? html`<p class="text">${rich(text)}</p>` : null);

function Location({ value }) {
  const { latitude, longitude, name, address } = value ?? {};
  return html`<a class="location" href=${`https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`} target="_blank" rel="noopener noreferrer">
    <span class="map" aria-hidden="true"><${Icon} name="pin" size=${28} /></span>
    <span><strong>${name ?? t('kind.location')}</strong><small>${address ?? `${Number(latitude).toFixed(5)}, ${Number(longitude).toFixed(5)}`}</small></span></a>`;
}

const People = ({ people }) => html`<div class="people">${(people ?? []).map((person) => html`<div class="person"><${Icon} name="user" />
  <span><strong>${person.name?.formatted_name ?? '—'}</strong><small>${(person.phones ?? []).map((phone) => phone.phone).join(', ')}</small></span></div>`)}</div>`;

const headerOf = (header, urlOf) => {
  if (!header) return null;
  if (header.type === 'text') return html`<p class="header">${header.text}</p>`;
  return html`<${Medium} kind=${header.type} medium=${header[header.type]} urlOf=${urlOf} />`;
};

function Interactive({ value, urlOf, onPress }) {
  const reply = value?.button_reply ?? value?.list_reply;
  if (reply) return html`<p class="text"><span class="pressed"><${Icon} name="check" size=${14} />${reply.title}</span>${reply.description ? html`<small>${reply.description}</small>` : null}</p>`;
  if (value?.nfm_reply) return html`<p class="text"><span class="pressed"><${Icon} name="check" size=${14} />${value.nfm_reply.body ?? t('kind.flow')}</span></p>`;
  const action = value?.action ?? {};
  const press = (title, id) => onPress && (() => onPress({ title, id }));
  const Press = ({ title, id, icon }) => (onPress ? html`<button type="button" class="choice" onClick=${press(title, id)}>${icon && html`<${Icon} name=${icon} size=${15} />`}${title}</button>`
    : html`<span class="choice">${icon && html`<${Icon} name=${icon} size=${15} />`}${title}</span>`);
  return html`${headerOf(value?.header, urlOf)}<p class="text">${rich(value?.body?.text)}</p>${value?.footer && html`<p class="footer">${value.footer.text}</p>`}
    <div class="choices">${(action.buttons ?? []).map((button) => html`<${Press} title=${button.reply?.title} id=${button.reply?.id} />`)}
      ${action.sections && html`<details class="rows"><summary class="choice"><${Icon} name="list" size=${15} />${action.button ?? t('kind.list')}</summary>
        ${action.sections.map((section) => html`<div>${section.title && html`<p class="section-title">${section.title}</p>`}
          ${(section.rows ?? []).map((row) => html`<${Press} title=${row.title} id=${row.id} />`)}</div>`)}</details>`}
      ${value?.type === 'cta_url' && html`<a class="choice" href=${webAddress(action.parameters?.url)} target="_blank" rel="noopener noreferrer"><${Icon} name="link" size=${15} />${action.parameters?.display_text}</a>`}
      ${value?.type === 'location_request_message' && html`<span class="choice"><${Icon} name="pin" size=${15} />${t('kind.location_request')}</span>`}
      ${value?.type === 'flow' && html`<span class="choice">${action.parameters?.flow_cta ?? t('kind.flow')}</span>`}</div>`;
}

function Template({ value, catalogue, urlOf, onPress }) {
  const known = catalogue?.find((one) => one.name === value?.name && one.language === value?.language?.code);
  const filled = fillTemplate(known?.components, value?.components);
  const buttons = filled?.buttons ?? [];
  return html`<p class="template-name"><${Icon} name="template" size=${14} />${value?.name}<small>${value?.language?.code}</small></p>
    ${filled?.header && html`<p class="header">${filled.header}</p>`}${headerOf(filled?.media, urlOf)}
    ${filled ? html`<p class="text">${rich(filled.body)}</p>` : html`<p class="text muted">${(value?.components ?? []).flatMap((part) => part.parameters ?? []).map((one) => one.text ?? one.payload ?? one.type).join(' · ')}</p>`}
    ${filled?.footer && html`<p class="footer">${filled.footer}</p>`}
    ${buttons.length > 0 && html`<div class="choices">${buttons.map((button) => (onPress ? html`<button type="button" class="choice" onClick=${() => onPress({ title: button.text })}>${button.text}</button>` : html`<span class="choice">${button.text}</span>`))}</div>`}`;
}

/** A template's words with its parameters put in; null when the catalogue does not know it. */
export function fillTemplate(components, given = []) {
  if (!components) return null;
  const parametersOf = (kind) => given?.find((one) => one.type?.toLowerCase() === kind)?.parameters ?? [];
  const fill = (text, parameters) => String(text ?? '').replace(/\{\{\s*(\w+)\s*\}\}/g, (whole, key) => {
    const named = parameters.find((one) => one.parameter_name === key) ?? (/^\d+$/.test(key) ? parameters[Number(key) - 1] : undefined);
    return named?.text || (named?.currency ?? named?.date_time)?.fallback_value || whole;
  });
  const part = (kind) => components.find((one) => one.type?.toUpperCase() === kind);
  const header = part('HEADER');
  const headerParameters = parametersOf('header');
  const media = headerParameters.find((one) => ['image', 'video', 'document'].includes(one.type));
  return {
    header: header?.format === 'TEXT' || header?.text ? fill(header.text, headerParameters) : null,
    media: media ?? null,
    body: fill(part('BODY')?.text, parametersOf('body')),
    footer: part('FOOTER')?.text ?? null,
    buttons: part('BUTTONS')?.buttons ?? [],
  };
}

const MEDIA = new Set(['image', 'video', 'audio', 'document', 'sticker']);

/** The inside of one message. `onPress` makes buttons that can be pressed (the phone); `urlOf` finds media. */
export function Content({ message, catalogue, urlOf, onPress }) {
  const kind = message.type;
  const value = message[kind];
  if (kind === 'text') return html`<p class="text">${rich(value?.body)}</p>`;
  if (MEDIA.has(kind)) return html`<${Medium} kind=${kind} medium=${value} urlOf=${urlOf} isFresh=${message.isFresh} /><${Caption} text=${value?.caption} />`;
  if (kind === 'location') return html`<${Location} value=${value} />`;
  if (kind === 'contacts') return html`<${People} people=${value} />`;
  if (kind === 'interactive') return html`<${Interactive} value=${value} urlOf=${urlOf} onPress=${onPress} />`;
  if (kind === 'template') return html`<${Template} value=${value} catalogue=${catalogue} urlOf=${urlOf} onPress=${onPress} />`;
  if (kind === 'button') return html`<p class="text"><span class="pressed"><${Icon} name="check" size=${14} />${value?.text}</span></p>`;
  if (kind === 'reaction') return html`<p class="reaction-alone">${value?.emoji || t('kind.reaction.removed')}</p>`;
  if (kind === 'order') return html`<p class="text">${t('kind.order.items', { count: value?.product_items?.length ?? 0 })}${value?.text ? html`<br />${value.text}` : null}</p>`;
  if (kind === 'system') return html`<p class="text muted">${value?.body ?? t('kind.system')}</p>`;
  return html`<p class="text muted">${t('kind.unsupported', { kind: word('kind', kind) })}</p>`;
}

/** A message in a few words, for quotes and lists. */
export function brief(message) {
  if (!message) return '';
  const value = message[message.type];
  if (message.type === 'text') return value?.body ?? '';
  const said = value?.caption ?? value?.button_reply?.title ?? value?.list_reply?.title ?? value?.body?.text ?? value?.text ?? value?.name;
  return [word('kind', message.type), typeof said === 'string' ? said : null].filter(Boolean).join(': ');
}
