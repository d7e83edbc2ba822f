// Express and the Node driver under Node's cluster module: the same two calls, as one usually writes them.
"use strict";

const cluster = require("node:cluster");
const { createHash, randomUUID, timingSafeEqual } = require("node:crypto");
const express = require("express");
const { MongoClient } = require("mongodb");

const PORT = Number(process.env.PEER_PORT);
const WORKERS = Number(process.env.PEER_WORKERS);
const URI = process.env.PEER_MONGODB_URI;
const KEY_DIGEST = createHash("sha256").update(process.env.PEER_KEY).digest();

function messageOf(body) {
  const { to, type, text } = body || {};
  if (typeof to !== "string" || !/^\d{7,15}$/.test(to)) return [null, "to: must be a phone number"];
  if (type !== "text" || typeof text !== "object" || text === null) return [null, "type: must be text"];
  if (typeof text.body !== "string" || text.body.length < 1 || text.body.length > 4096) {
    return [null, "text.body: must have 1 to 4096 characters"];
  }
  return [{
    _id: `msg_${randomUUID().replaceAll("-", "")}`,
    number: "106540352242922",
    direction: "out",
    to,
    type,
    payload: { text },
    status: "queued",
    created_at: new Date(),
  }, null];
}

function answerOf(message) {
  const { _id, status, to, type, payload, created_at } = message;
  return { id: _id, status, to, type, text: payload.text, created_at };
}

async function serve() {
  const client = new MongoClient(URI, { maxPoolSize: 30, writeConcern: { w: "majority" } });
  await client.connect();
  const messages = client.db("peer").collection("messages");
  await messages.createIndex({ number: 1, status: 1, created_at: 1 });
  await messages.createIndex({ to: 1, created_at: 1 });
  await messages.createIndex({ created_at: 1 });

  const app = express();
  app.disable("x-powered-by");
  app.use(express.json());
  app.use((request, response, next) => {
    const [scheme, key] = (request.headers.authorization || "").split(" ");
    const digest = createHash("sha256").update(key || "").digest();
    if (scheme !== "Bearer" || !timingSafeEqual(digest, KEY_DIGEST)) {
      return response.status(401).json({ error: "Send a valid API key." });
    }
    next();
  });
  app.post("/v1/messages", async (request, response, next) => {
    try {
      const [message, fault] = messageOf(request.body);
      if (fault) return response.status(400).json({ error: fault });
      await messages.insertOne(message);
      response.status(202).json(answerOf(message));
    } catch (error) {
      next(error);
    }
  });
  app.get("/v1/messages/:id", async (request, response, next) => {
    try {
      const message = await messages.findOne({ _id: request.params.id });
      if (!message) return response.status(404).json({ error: "There is no such message." });
      response.json(answerOf(message));
    } catch (error) {
      next(error);
    }
  });
  app.listen(PORT, "127.0.0.1");
}

if (cluster.isPrimary) {
  for (let i = 0; i < WORKERS; i += 1) cluster.fork();
  process.on("SIGTERM", () => {
    for (const worker of Object.values(cluster.workers)) worker.kill();
    process.exit(0);
  });
} else {
  serve();
}
