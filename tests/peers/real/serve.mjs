// SPDX-License-Identifier: MIT
// serve.mjs - servers that nobody here wrote, on 127.0.0.1 until standard input ends: `serve.mjs json FILE` or `serve.mjs scim TOKEN`.
import crypto from "node:crypto";
import express from "express";

// json-server, as its own program sets it up: the collections of a JSON file.
async function json(file) {
    const { default: jsonServer } = await import("json-server");
    const app = jsonServer.create();
    app.use(jsonServer.defaults({ logger: false }));
    app.use(jsonServer.bodyParser);
    app.use(jsonServer.router(file));
    return app;
}

// SCIM 2.0 by scimmy and its routers; what is kept is kept in memory.
async function scim(token) {
    const { default: SCIMMY } = await import("scimmy");
    const { default: Routers } = await import("scimmy-routers");
    const users = new Map();
    let version = 0;
    const missing = (id) => new SCIMMY.Types.Error(404, null, `Resource ${id} not found`);
    const found = (id) => users.get(id) ?? (() => { throw missing(id); })();
    const store = (resource, instance) => {
        const old = resource.id ? found(resource.id) : null;
        const user = JSON.parse(JSON.stringify(instance));
        for (const u of users.values())
            if (u.id !== resource.id && u.userName.toLowerCase() === user.userName.toLowerCase())
                throw new SCIMMY.Types.Error(409, "uniqueness", "userName already taken");
        const now = new Date().toISOString();
        const id = resource.id ?? crypto.randomUUID();
        const meta = { created: old?.meta.created ?? now, lastModified: now, version: `W/"${++version}"` };
        users.set(id, { ...user, id, meta });
        return users.get(id);
    };
    SCIMMY.Resources.declare(SCIMMY.Resources.User, {});
    SCIMMY.Resources.User.ingress(store)
        .egress((r) => (r.id ? found(r.id) : r.filter ? r.filter.match([...users.values()]) : [...users.values()]))
        .degress((r) => { if (!users.delete(r.id)) throw missing(r.id); });
    const app = express();
    const check = (request) => {
        if (request.header("Authorization") !== `Bearer ${token}`) throw new Error("the token is another");
        return "tests";
    };
    app.use("/scim/v2", new Routers({ type: "bearer", handler: check }));
    return app;
}

const [kind, argument] = process.argv.slice(2);
const app = await { json, scim }[kind](argument);
const server = app.listen(0, "127.0.0.1", () => console.log("port", server.address().port));
process.stdin.on("end", () => process.exit(0)).resume();
