// Where the agent writes: text, emoji, quick replies, files, templates, and notes for colleagues.
import { cx, html, useEffect, useRef, useState } from '../ui.js';
import { Icon } from '../icons.js';
import { Button, Popover, failed } from '../widgets.js';
import { addNote, send } from './thread_state.js';
import { brief } from './content.js';
import { leftS, useNow } from './window.js';
import { EmojiPicker } from './emoji.js';
import { QuickReplies, SlashMenu, filledIn, matching, useQuickReplies } from './quick_replies.js';
import { TemplatePicker } from './template_picker.js';
import { messageOf, upload } from './attachments.js';
import { bytes, t } from '../words.js';

const drafts = new Map();
const LONGEST = 4096;

export function Composer({ conversation, replyTo, onReplied, catalogue, onSent }) {
  const { id } = conversation;
  const [text, setText] = useState(drafts.get(id) ?? '');
  const [isNote, setNote] = useState(false);
  const [files, setFiles] = useState([]);
  const [isPicking, setPicking] = useState(false);
  const [isDragged, setDragged] = useState(false);
  const box = useRef();
  const chooser = useRef();
  useNow();
  const isOpen = leftS(conversation) > 0;
  const replies = useQuickReplies(conversation.phone_number_id) ?? [];
  const [slashAt, setSlashAt] = useState(0);
  const slash = isOpen && !isNote ? /^\/([\p{L}\p{N}_-]*)$/u.exec(text) : null;
  const found = slash ? matching(replies, slash[1]) : [];
  const pickReply = (reply) => { setText(filledIn(reply.text, conversation.contact.name)); setSlashAt(0); box.current?.focus(); };
  const grow = () => {
    const element = box.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, 180)}px`;
  };
  useEffect(() => { drafts.set(id, text); grow(); }, [text]);
  useEffect(() => { if (replyTo) box.current?.focus(); }, [replyTo]);
  useEffect(() => { if (!matchMedia('(pointer: coarse)').matches) box.current?.focus({ preventScroll: true }); }, [id]);
  const insert = (piece) => {
    const element = box.current;
    const [start, end] = [element?.selectionStart ?? text.length, element?.selectionEnd ?? text.length];
    setText(text.slice(0, start) + piece + text.slice(end));
    requestAnimationFrame(() => { element?.focus(); element?.setSelectionRange(start + piece.length, start + piece.length); });
  };
  const context = replyTo?.wamid ? { context: { message_id: replyTo.wamid } } : {};
  const done = () => { setText(''); drafts.delete(id); onReplied(); onSent(); };
  const submit = async () => {
    const body = text.trim();
    if (isNote) {
      if (!body) return;
      setText('');
      await addNote(id, body).then(() => setNote(false), (error) => { setText(body); failed(error); });
      return;
    }
    if (files.length) {
      const waiting = files;
      setFiles([]);
      done();
      for (const [position, file] of waiting.entries()) {
        try {
          const medium = await upload(file, conversation.phone_number_id);
          await send(conversation, { ...messageOf(file, medium, position === 0 ? body : ''), ...context });
        } catch (error) {
          failed(error);
        }
      }
      return;
    }
    if (!body) return;
    done();
    send(conversation, { type: 'text', text: { body, preview_url: /https?:\/\//.test(body) }, ...context }).catch(() => {});
  };
  const key = (event) => {
    if (event.key === 'Escape' && found.length) {
      setText('');
      return;
    }
    if (found.length && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
      event.preventDefault();
      setSlashAt((slashAt + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length);
      return;
    }
    if (found.length && (event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      pickReply(found[Math.min(slashAt, found.length - 1)]);
      return;
    }
    if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === 'Escape' && (replyTo || isNote)) {
      onReplied();
      setNote(false);
    } else if (event.key === 'Escape') document.querySelector('a.row.chosen')?.focus();
  };
  const take = (found) => { if (found?.length) setFiles([...files, ...found].slice(0, 10)); };
  const pickTemplate = (template) => { setPicking(false); onSent(); send(conversation, { type: 'template', template }).catch(() => {}); };
  const picker = isPicking && html`<${TemplatePicker} catalogue=${catalogue} onClose=${() => setPicking(false)} onPick=${pickTemplate} />`;
  if (!isOpen && !isNote) {
    return html`<div class="composer closed"><p><${Icon} name="clock" size=${18} /><span><strong>${t('window.closed')}.</strong> ${t('window.closed.text')}</span></p>
      <div class="closed-actions"><${Button} icon="note" kind="quiet" onClick=${() => setNote(true)}>${t('note')}<//><${Button} icon="template" kind="primary" onClick=${() => setPicking(true)}>${t('template.choose')}<//></div>${picker}</div>`;
  }
  const canSend = text.trim() || files.length;
  return html`<div class=${cx('composer', { note: isNote, dragged: isDragged })} onDragOver=${(event) => { event.preventDefault(); setDragged(true); }} onDragLeave=${() => setDragged(false)}
    onDrop=${(event) => { event.preventDefault(); setDragged(false); take(event.dataTransfer.files); }}>
    ${replyTo && html`<div class="replying"><${Icon} name="reply" size=${16} /><p><strong>${t('replying', { name: t(replyTo.direction === 'out' ? 'you' : 'customer') })}</strong>${brief(replyTo)}</p><${Button} icon="close" kind="quiet" small label=${t('reply.cancel')} onClick=${onReplied} /></div>`}
    ${isNote && html`<div class="replying"><${Icon} name="note" size=${16} /><p><strong>${t('note')}</strong>${t('note.hint')}</p><${Button} icon="close" kind="quiet" small label=${t('note.cancel')} onClick=${() => setNote(false)} /></div>`}
    ${files.length > 0 && html`<ul class="files">${files.map((file, position) => html`<li key=${position}><${Icon} name="file" size=${16} /><span>${file.name}<small>${bytes(file.size)}</small></span><${Button} icon="close" kind="quiet" small label=${t('file.remove', { name: file.name })} onClick=${() => setFiles(files.filter((_, other) => other !== position))} /></li>`)}</ul>`}
    ${found.length > 0 && html`<${SlashMenu} id="slash-menu" name=${conversation.contact.name} found=${found} at=${Math.min(slashAt, found.length - 1)} onPick=${pickReply} />`}
    <div class="composer-row">
      <div class="composer-tools">
      ${!isNote && html`<${Button} icon="clip" kind="quiet" label=${t('attach')} onClick=${() => chooser.current.click()} /><input type="file" ref=${chooser} multiple hidden aria-label=${t('attach')} onChange=${(event) => { take(event.target.files); event.target.value = ''; }} />`}
      <${Popover} up button=${(popover) => html`<${Button} icon="smile" kind="quiet" label=${t('emoji')} aria-expanded=${popover['aria-expanded']} onClick=${popover.toggle} />`}>${(close) => html`<${EmojiPicker} onPick=${(emoji) => { insert(emoji); close(); }} />`}<//>
      ${!isNote && html`<${Popover} up button=${(popover) => html`<${Button} icon="bolt" kind="quiet" label=${t('quick')} aria-expanded=${popover['aria-expanded']} onClick=${popover.toggle} />`}>${(close) => html`<${QuickReplies} phoneNumberId=${conversation.phone_number_id} onPick=${(words) => { insert(filledIn(words, conversation.contact.name)); close(); }} />`}<//>
        <${Button} icon="template" kind="quiet" label=${t('template.choose')} onClick=${() => setPicking(true)} />`}
      <${Button} icon="note" kind=${cx('quiet', { on: isNote })} label=${t('note')} aria-pressed=${isNote ? 'true' : 'false'} onClick=${() => { setNote(!isNote); box.current?.focus(); }} />
      </div>
      <textarea ref=${box} rows="1" maxlength=${LONGEST} value=${text} placeholder=${t(isNote ? 'note.placeholder' : 'compose.placeholder')} aria-label=${t(isNote ? 'note.placeholder' : 'compose.placeholder')} aria-controls=${found.length ? 'slash-menu' : undefined} aria-activedescendant=${found.length ? `slash-menu-${Math.min(slashAt, found.length - 1)}` : undefined}
        onInput=${(event) => setText(event.target.value)} onKeyDown=${key} onPaste=${(event) => event.clipboardData.files.length && (event.preventDefault(), take(event.clipboardData.files))}></textarea>
      <${Button} icon="send" kind="primary round" label=${t(isNote ? 'note.save' : 'send')} disabled=${!canSend} onClick=${submit} />
    </div>${picker}</div>`;
}
