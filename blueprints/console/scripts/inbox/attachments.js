// Files: uploaded first, then sent as the kind of message that WhatsApp has for them.
import { post, query } from '../api.js';

const KINDS = [[/^image\/(jpeg|png)$/, 'image'], [/^image\/webp$/, 'sticker'], [/^video\/(mp4|3gpp)$/, 'video'], [/^audio\/(aac|mp4|mpeg|amr|ogg)/, 'audio']];
export const kindOf = (file) => KINDS.find(([pattern]) => pattern.test(file.type))?.[1] ?? 'document';

export function upload(file, phoneNumberId) {
  const form = new FormData();
  form.append('file', file, file.name);
  if (file.type) form.append('type', file.type);
  return post(`/v1/media${query({ phone_number_id: phoneNumberId })}`, form);
}

export function messageOf(file, medium, caption) {
  const type = kindOf(file);
  const value = { id: medium.id };
  if (caption && ['image', 'video', 'document'].includes(type)) value.caption = caption;
  if (type === 'document') value.filename = file.name;
  return { type, [type]: value };
}
