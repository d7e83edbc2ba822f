// @great-detail/whatsapp 9.2.0, pointed by its `baseUrl`; this release sends no version in its paths.
import Client from "@great-detail/whatsapp";
import { orders, sample, step } from "./lib.mjs";

const { base_url, token, number, waba, to, links, inbound_wamid, template } = orders;
const sdk = new Client({ baseUrl: base_url, request: { headers: { Authorization: `Bearer ${token}` } } });
const send = (payload) => sdk.message.createMessage({ phoneNumberID: number, to, ...payload }).json();
const interactive = (payload) => send({ type: "interactive", interactive: { body: { text: "What shall it be?" }, ...payload } });

const first = await step("text", () => send({ type: "text", text: { body: "Hello from great-detail" }, biz_opaque_callback_data: "tracked" }));
await step("reply", () => send({ type: "text", text: { body: "An answer" }, context: { message_id: inbound_wamid } }));
await step("reaction", () => send({ type: "reaction", reaction: { message_id: first.id, emoji: "👍" } }));
await step("reaction_removed", () => send({ type: "reaction", reaction: { message_id: first.id, emoji: "" } }));
await step("image", () => send({ type: "image", image: { link: links.jpg, caption: "A picture" } }));
await step("video", () => send({ type: "video", video: { link: links.mp4, caption: "A film" } }));
await step("audio", () => send({ type: "audio", audio: { link: links.mp3 } }));
await step("document", () => send({ type: "document", document: { link: links.pdf, filename: "paper.pdf", caption: "A paper" } }));
await step("sticker", () => send({ type: "sticker", sticker: { link: links.webp } }));
await step("location", () => send({ type: "location", location: { latitude: 37.4421, longitude: -122.1615, name: "Philz", address: "101 Forest Ave" } }));
await step("contacts", () => send({ type: "contacts", contacts: [{ name: { formatted_name: "Barbara J", first_name: "Barbara" }, phones: [{ phone: "+16505559999", type: "CELL" }] }] }));
await step("buttons", () => interactive({ type: "button", action: { buttons: [{ type: "reply", reply: { id: "yes", title: "Yes" } }, { type: "reply", reply: { id: "no", title: "No" } }] } }));
await step("list", () => interactive({ type: "list", action: { button: "Choose", sections: [{ title: "One", rows: [{ id: "a", title: "A", description: "the first" }, { id: "b", title: "B" }] }] } }));
await step("cta_url", () => interactive({ type: "cta_url", action: { name: "cta_url", parameters: { display_text: "Open", url: "https://example.com" } } }));
await step("template", () => send({ type: "template", template: { name: "hello_world", language: { code: "en_US" } } }));
await step("template_parameters", () =>
    send({
        type: "template",
        template: {
            name: template.name,
            language: { code: template.language },
            components: [
                { type: "header", parameters: [{ type: "image", image: { link: links.jpg } }] },
                { type: "body", parameters: [{ type: "text", text: "Ana" }, { type: "text", text: "7" }] },
                { type: "button", sub_type: "quick_reply", index: 0, parameters: [{ type: "payload", payload: "PAID" }] },
                { type: "button", sub_type: "url", index: 1, parameters: [{ type: "text", text: "42" }] },
            ],
        },
    }),
);
await step("mark_read", () => sdk.message.createStatus({ phoneNumberID: number, status: "read", message_id: inbound_wamid }).json());
await step("typing", () => sdk.message.createStatus({ phoneNumberID: number, status: "read", message_id: inbound_wamid, typing_indicator: { type: "text" } }).json());
const uploaded = await step("media_upload", () => sdk.media.upload({ phoneNumberID: number, mimeType: "image/png", file: new File([sample("png")], "sample.png", { type: "image/png" }), filename: "sample.png" }).json());
const mediaID = uploaded.answer?.id;
await step("image_by_id", () => send({ type: "image", image: { id: mediaID, caption: "By id" } }));
const found = await step("media_url", () => sdk.media.getURL({ mediaID, phoneNumberID: number }).json());
await step("media_download", async () => {
    const download = await sdk.media.download({ mediaURL: found.answer.url, request: { headers: { Authorization: `Bearer ${token}` } } });
    const bytes = Buffer.from(await download.arrayBuffer());
    if (!bytes.equals(sample("png"))) throw new Error(`${bytes.length} other bytes came back`);
});
await step("media_delete", () => sdk.media.delete({ mediaID, phoneNumberID: number }).json());
await step("template_list", () => sdk.template.list(waba, { limit: 10 }).json());
const name = `great_detail_${orders.path}`;
const created = await step("template_create", () =>
    sdk.template.create(waba, { name, language: "en_US", category: "UTILITY", components: [{ type: "BODY", text: "Hello" }] }).json(),
);
await step("template_get", () => sdk.template.get(created.answer.id, {}).json());
await step("template_edit", () => sdk.template.update(created.answer.id, { category: "UTILITY", components: [{ type: "BODY", text: "Hello again" }] }).json());
await step("template_delete", () => sdk.template.delete(waba, { name }).json());
await step("number", () => sdk.phoneNumbers.getPhoneNumber({ phoneNumberID: number }).json());
await step("numbers", () => sdk.phoneNumbers.listPhoneNumbers({ businessAccountID: waba }).json());
await step("profile", () => sdk.businessProfile.getBusinessProfile({ phoneNumberID: number, fields: ["about", "vertical"] }).json());
await step("profile_update", () => sdk.businessProfile.updateBusinessProfile({ phoneNumberID: number, about: "Open" }).json());
