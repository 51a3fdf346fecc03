//: token
import type { components } from "./made/schema.js";

type Schemas = components["schemas"];
declare const process: { env: Record<string, string | undefined> };
const api = `${process.env["QUICKWIN_SERVER"]}/api/v1`;
const kpu = `${api}/institutions/kpu`;
const headers = { Authorization: `Bearer ${process.env["QUICKWIN_TOKEN"]}`, "Content-Type": "application/json" };

class Refused extends Error {
  constructor(readonly problem: Schemas["Problem"]) {
    super(problem.detail);
  }
}

async function call<T>(address: string, body?: unknown, more: Record<string, string> = {}): Promise<T> {
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const answer = await fetch(address, { ...sent, headers: { ...headers, ...more } });
  if (!answer.ok) throw new Refused(await answer.json());
  return answer.json();
}

console.log((await call<Schemas["Me"]>(`${api}/me`)).actor);
//: report
const report: Schemas["NewUpdate"] = {
  percent_complete: 60, effective_on: "2022-11-15", note: "Modul B selesai", evidence: [],
};
const update = await call<Schemas["Update"]>(
  `${kpu}/initiatives/QW-2022-014/milestones/3/updates`, report, { "Idempotency-Key": "typescript-2022-11-15" },
);
console.log(update.percent_complete, update.verification);
//: batch
const items = [[3, 65], [99, 10]].map(([milestone, percent_complete]) => ({
  initiative: "QW-2022-014", milestone, percent_complete,
  effective_on: "2022-11-20", source: "sakti", external_id: `2022/${milestone}`,
}));
for (const result of (await call<Schemas["Batch"]>(`${kpu}/updates`, { items })).results) {
  console.log(result.index, result.status, "problem" in result ? result.problem.code : "there");
}
//: read
const rollup = `${kpu}/units/32/rollup?as_of=2022-11-30`;
const first = await fetch(rollup, { headers });
const { percent_complete, health }: Schemas["Rollup"] = await first.json();
console.log(percent_complete, health);
const etag = first.headers.get("ETag") ?? "";
console.log((await fetch(rollup, { headers: { ...headers, "If-None-Match": etag } })).status);
//: follow
const events = await call<Schemas["Events"]>(`${kpu}/events?after=0&type=update.reported`);
console.log(events.items[0]?.sequence, events.next_after);
//: errors
try {
  await call(`${kpu}/units/nowhere/rollup`);
} catch (error) {
  if (!(error instanceof Refused) || error.problem.code !== "not_found") throw error;
  console.log(error.problem.code);
}
