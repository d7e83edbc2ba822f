// whatsapp-api-js 6.3.0: addresses are literals in it, so it is pointed elsewhere by its `ponyfill.fetch`.
import { WhatsAppAPI } from "whatsapp-api-js";
import * as m from "whatsapp-api-js/messages";
import { orders, sample, step } from "./lib.mjs";

const { base_url, token, number, to, bystander, links, inbound_wamid, template } = orders;
const api = new WhatsAppAPI({
    token,
    secure: false,
    ponyfill: { fetch: (url, init) => fetch(String(url).replace("https://graph.facebook.com", base_url), init) },
});
const send = (message, context) => api.sendMessage(number, to, message, context, "tracked");
const body = new m.Body("What shall it be?");

const first = await step("text", () => send(new m.Text("Hello from whatsapp-api-js", true)));
await step("reply", () => send(new m.Text("An answer"), inbound_wamid));
await step("reaction", () => send(new m.Reaction(first.id, "👍")));
await step("reaction_removed", () => send(new m.Reaction(first.id)));
await step("image", () => send(new m.Image(links.jpg, false, "A picture")));
await step("video", () => send(new m.Video(links.mp4, false, "A film")));
await step("audio", () => send(new m.Audio(links.mp3)));
await step("voice", () => send(new m.Audio(links.ogg, false, true)));
await step("document", () => send(new m.Document(links.pdf, false, "A paper", "paper.pdf")));
await step("sticker", () => send(new m.Sticker(links.webp)));
await step("location", () => send(new m.Location(-122.1615, 37.4421, "Philz", "101 Forest Ave")));
await step("contacts", () =>
    send(new m.Contacts([new m.Name("Barbara J", "Barbara"), new m.Phone("+16505559999", "CELL", "16505559999"), new m.Email("b@example.com")])),
);
await step("buttons", () =>
    send(new m.Interactive(new m.ActionButtons(new m.Button("yes", "Yes"), new m.Button("no", "No")), body, new m.Header("Head"), new m.Footer("Foot"))),
);
await step("list", () =>
    send(new m.Interactive(new m.ActionList("Choose", new m.ListSection("One", new m.Row("a", "A", "the first"), new m.Row("b", "B"))), body)),
);
await step("cta_url", () => send(new m.Interactive(new m.ActionCTA("Open", "https://example.com"), body)));
await step("flow", () => send(new m.Interactive(new m.ActionNavigateFlow("token", "123456", "Begin", "FIRST", { x: 1 }), body)));
await step("catalog", () => send(new m.Interactive(new m.ActionCatalog(new m.Product("SKU-1")), body)));
await step("product", () => send(new m.Interactive(new m.ActionProduct(new m.CatalogProduct("SKU-1", "777")), body)));
await step("product_list", () =>
    send(new m.Interactive(new m.ActionProductList("777", new m.ProductSection("Things", new m.Product("SKU-1"), new m.Product("SKU-2"))), body, new m.Header("Shop"))),
);
await step("location_request", () => send(new m.Interactive(new m.ActionLocation(), body)));
await step("call_permission", () => send(new m.Interactive(new m.ActionCallPermission(), body)));
await step("contact_request", () => send(new m.Interactive(new m.ActionContactRequest(), body)));
await step("template", () => send(new m.Template("hello_world", "en_US")));
await step("template_parameters", () =>
    send(
        new m.Template(
            template.name,
            new m.Language(template.language, "deterministic"),
            new m.HeaderComponent(new m.HeaderParameter(new m.Image(links.jpg))),
            new m.BodyComponent(new m.BodyParameter("Ana"), new m.BodyParameter("7")),
            new m.PayloadComponent("PAID"),
            new m.URLComponent("42"),
        ),
    ),
);
await step("mark_read", () => api.markAsRead(number, inbound_wamid));
await step("typing", () => api.markAsRead(number, inbound_wamid, "text"));
const form = new FormData();
form.set("file", new Blob([sample("png")], { type: "image/png" }), "sample.png");
const uploaded = await step("media_upload", () => api.uploadMedia(number, form));
const media = uploaded.answer?.id;
await step("image_by_id", () => send(new m.Image(media, true, "By id")));
const found = await step("media_url", () => api.retrieveMedia(media));
await step("media_download", async () => {
    const bytes = Buffer.from(await (await api.fetchMedia(found.answer.url)).arrayBuffer());
    if (!bytes.equals(sample("png"))) throw new Error(`${bytes.length} other bytes came back`);
});
await step("media_delete", () => api.deleteMedia(media));
await step("block", () => api.blockUser(number, bystander));
await step("unblock", () => api.unblockUser(number, bystander));
await step("qr_code", () => api.createQR(number, "Hello"));
