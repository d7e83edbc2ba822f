// whatsapp-business 1.7.2, pointed by the defaults of its public axios instance.
import whatsappBusiness from "whatsapp-business";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { orders, sample, step } from "./lib.mjs";

const { base_url, token, number, waba, to, links, inbound_wamid, template } = orders;
const client = new whatsappBusiness.WABAClient({ apiToken: token, phoneId: number, accountId: waba });
client.restClient.fetch.defaults.baseURL = `${base_url}/v17.0`;
const send = (payload) => client.sendMessage({ to, ...payload });
const interactive = (payload) => send({ type: "interactive", interactive: { body: { text: "What shall it be?" }, ...payload } });

const first = await step("text", () => send({ text: { body: "Hello from whatsapp-business" } }));
await step("reply", () => send({ type: "text", text: { body: "An answer" }, context: { message_id: inbound_wamid } }));
await step("reaction", () => send({ type: "reaction", reaction: { message_id: first.id, emoji: "👍" } }));
await step("reaction_removed", () => send({ type: "reaction", reaction: { message_id: first.id, emoji: "" } }));
await step("image", () => send({ type: "image", image: { link: links.jpg, caption: "A picture" } }));
await step("video", () => send({ type: "video", video: { link: links.mp4, caption: "A film" } }));
await step("audio", () => send({ type: "audio", audio: { link: links.mp3 } }));
await step("document", () => send({ type: "document", document: { link: links.pdf, filename: "paper.pdf", caption: "A paper" } }));
await step("sticker", () => send({ type: "sticker", sticker: { link: links.webp } }));
await step("location", () => send({ type: "location", location: { latitude: "37.4421", longitude: "-122.1615", name: "Philz", address: "101 Forest Ave" } }));
await step("contacts", () => send({ type: "contacts", contacts: [{ name: { formatted_name: "Barbara J", first_name: "Barbara" }, phones: [{ phone: "+16505559999", type: "CELL" }], emails: [], urls: [], org: {} }] }));
await step("buttons", () => interactive({ type: "button", action: { buttons: [{ type: "reply", reply: { id: "yes", title: "Yes" } }, { type: "reply", reply: { id: "no", title: "No" } }] } }));
await step("list", () => interactive({ type: "list", action: { button: "Choose", sections: [{ title: "One", rows: [{ id: "a", title: "A", description: "the first" }, { id: "b", title: "B" }] }] } }));
await step("catalog", () => interactive({ type: "catalog_message", action: { name: "catalog_message", parameters: { thumbnail_product_retailer_id: "SKU-1" } } }));
await step("product", () => interactive({ type: "product", action: { catalog_id: "777", product_retailer_id: "SKU-1" } }));
await step("product_list", () => interactive({ type: "product_list", header: { type: "text", text: "Shop" }, action: { catalog_id: "777", sections: [{ title: "Things", product_items: [{ product_retailer_id: "SKU-1" }] }] } }));
await step("template", () => send({ type: "template", template: { name: "hello_world", language: { policy: "deterministic", code: "en_US" } } }));
await step("template_parameters", () =>
    send({
        type: "template",
        template: {
            name: template.name,
            language: { policy: "deterministic", code: template.language },
            components: [
                { type: "header", parameters: [{ type: "image", image: { link: links.jpg } }] },
                { type: "body", parameters: [{ type: "text", text: "Ana" }, { type: "text", text: "7" }] },
                { type: "button", sub_type: "quick_reply", index: 0, parameters: [{ type: "payload", payload: "PAID" }] },
                { type: "button", sub_type: "url", index: 1, parameters: [{ type: "text", text: "42" }] },
            ],
        },
    }),
);
await step("mark_read", () => client.markMessageAsRead(inbound_wamid));
const uploaded = await step("media_upload", () => client.uploadMedia({ file: `${orders.samples}/sample.png`, type: "image/png" }));
const media = uploaded.answer?.id;
await step("image_by_id", () => send({ type: "image", image: { id: media, caption: "By id" } }));
const found = await step("media_url", () => client.getMedia(media));
await step("media_download", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "wb-")), "got.png");
    await client.downloadMedia(found.answer.url, path);
    await new Promise((done) => setTimeout(done, 300));
    const bytes = readFileSync(path);
    if (!bytes.equals(sample("png"))) throw new Error(`${bytes.length} other bytes came back`);
});
await step("media_delete", () => client.deleteMedia(media));
await step("number", () => client.getSingleBusinessPhoneNumber(number));
await step("numbers", () => client.getBusinessPhoneNumbers());
await step("profile", () => client.getBusinessProfile());
await step("profile_update", () => client.updateBusinessProfile({ about: "Open" }));
