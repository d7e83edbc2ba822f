// @kapso/whatsapp-cloud-api 0.3.0, pointed by its `baseUrl`.
import { WhatsAppClient, buildTemplateSendPayload } from "@kapso/whatsapp-cloud-api";
import { orders, sample, step } from "./lib.mjs";

const { base_url, token, number, waba, to, links, inbound_wamid, template } = orders;
const client = new WhatsAppClient({ baseUrl: base_url, accessToken: token });
const base = { phoneNumberId: number, to };
const bodyText = "What shall it be?";
const { messages, media, templates, phoneNumbers } = client;

const first = await step("text", () => messages.sendText({ ...base, body: "Hello from kapso", previewUrl: true, bizOpaqueCallbackData: "tracked" }));
await step("reply", () => messages.sendText({ ...base, body: "An answer", contextMessageId: inbound_wamid }));
await step("reaction", () => messages.sendReaction({ ...base, reaction: { messageId: first.id, emoji: "👍" } }));
await step("reaction_removed", () => messages.sendReaction({ ...base, reaction: { messageId: first.id } }));
await step("image", () => messages.sendImage({ ...base, image: { link: links.jpg, caption: "A picture" } }));
await step("video", () => messages.sendVideo({ ...base, video: { link: links.mp4, caption: "A film" } }));
await step("audio", () => messages.sendAudio({ ...base, audio: { link: links.mp3 } }));
await step("voice", () => messages.sendAudio({ ...base, audio: { link: links.ogg, voice: true } }));
await step("document", () => messages.sendDocument({ ...base, document: { link: links.pdf, filename: "paper.pdf", caption: "A paper" } }));
await step("sticker", () => messages.sendSticker({ ...base, sticker: { link: links.webp } }));
await step("location", () => messages.sendLocation({ ...base, location: { latitude: 37.4421, longitude: -122.1615, name: "Philz", address: "101 Forest Ave" } }));
await step("contacts", () => messages.sendContacts({ ...base, contacts: [{ name: { formattedName: "Barbara J", firstName: "Barbara" }, phones: [{ phone: "+16505559999", type: "CELL" }] }] }));
await step("buttons", () => messages.sendInteractiveButtons({ ...base, bodyText, header: { type: "text", text: "Head" }, footerText: "Foot", buttons: [{ id: "yes", title: "Yes" }, { id: "no", title: "No" }] }));
await step("list", () => messages.sendInteractiveList({ ...base, bodyText, buttonText: "Choose", sections: [{ title: "One", rows: [{ id: "a", title: "A", description: "the first" }, { id: "b", title: "B" }] }] }));
await step("cta_url", () => messages.sendInteractiveCtaUrl({ ...base, bodyText, parameters: { displayText: "Open", url: "https://example.com" } }));
await step("flow", () => messages.sendInteractiveFlow({ ...base, bodyText, parameters: { flowId: "123456", flowCta: "Begin", flowToken: "token", flowAction: "navigate", flowActionPayload: { screen: "FIRST" } } }));
await step("catalog", () => messages.sendInteractiveCatalogMessage({ ...base, bodyText, parameters: { thumbnailProductRetailerId: "SKU-1" } }));
await step("product", () => messages.sendInteractiveProduct({ ...base, bodyText, catalogId: "777", productRetailerId: "SKU-1" }));
await step("product_list", () => messages.sendInteractiveProductList({ ...base, bodyText, header: { type: "text", text: "Shop" }, catalogId: "777", sections: [{ title: "Things", productItems: [{ productRetailerId: "SKU-1" }, { productRetailerId: "SKU-2" }] }] }));
await step("location_request", () => messages.sendInteractiveLocationRequest({ ...base, bodyText, parameters: { requestMessage: "Where?" } }));
await step("carousel", () =>
    messages.sendInteractiveCarousel({
        ...base,
        bodyText,
        cards: [0, 1].map((cardIndex) => ({
            cardIndex,
            header: { type: "image", image: { link: links.jpg } },
            bodyText: `Card ${cardIndex}`,
            action: { type: "cta_url", displayText: "View", url: "https://example.com" },
        })),
    }),
);
await step("address", () => messages.sendInteractiveAddress({ ...base, bodyText, parameters: { country: "IN" } }));
await step("call_permission", () => messages.sendInteractiveCallPermission({ ...base, bodyText, parameters: { phoneNumber: "+15550783881" } }));
await step("template", () => messages.sendTemplate({ ...base, template: { name: "hello_world", language: { code: "en_US" } } }));
await step("template_parameters", () =>
    messages.sendTemplate({
        ...base,
        template: buildTemplateSendPayload({
            name: template.name,
            language: template.language,
            header: { type: "image", image: { link: links.jpg } },
            body: [{ type: "text", text: "Ana" }, { type: "text", text: "7" }],
            buttons: [
                { type: "button", subType: "quick_reply", index: 0, parameters: [{ type: "payload", payload: "PAID" }] },
                { type: "button", subType: "url", index: 1, parameters: [{ type: "text", text: "42" }] },
            ],
        }),
    }),
);
await step("raw", () => messages.sendRaw({ phoneNumberId: number, payload: { messaging_product: "whatsapp", to, type: "text", text: { body: "Raw" } } }));
await step("mark_read", () => messages.markRead({ phoneNumberId: number, messageId: inbound_wamid }));
await step("typing", () => messages.markRead({ phoneNumberId: number, messageId: inbound_wamid, typingIndicator: { type: "text" } }));
const uploaded = await step("media_upload", () => media.upload({ phoneNumberId: number, type: "image/png", file: sample("png"), fileName: "sample.png" }));
const mediaId = uploaded.answer?.id;
await step("image_by_id", () => messages.sendImage({ ...base, image: { id: mediaId, caption: "By id" } }));
await step("media_url", () => media.get({ mediaId, phoneNumberId: number }));
await step("media_download", async () => {
    const bytes = Buffer.from(await media.download({ mediaId, phoneNumberId: number, auth: "always" }));
    if (!bytes.equals(sample("png"))) throw new Error(`${bytes.length} other bytes came back`);
});
await step("media_delete", () => media.delete({ mediaId, phoneNumberId: number }));
await step("template_list", () => templates.list({ businessAccountId: waba, limit: 10 }));
const name = `kapso_${orders.path}`;
const created = await step("template_create", () =>
    templates.create({ businessAccountId: waba, name, language: "en_US", category: "UTILITY", components: [{ type: "BODY", text: "Hello" }] }),
);
await step("template_get", () => templates.get({ businessAccountId: waba, templateId: created.answer.id }));
await step("template_delete", () => templates.delete({ businessAccountId: waba, name }));
await step("profile", () => phoneNumbers.businessProfile.get({ phoneNumberId: number }));
await step("profile_update", () => phoneNumbers.businessProfile.update({ phoneNumberId: number, about: "Open" }));
