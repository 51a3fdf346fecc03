// What a frontend does with a client generated from the document: it must compile under `strict`,
// and what the document does not allow must not. Run, it does all this with a real server:
//
//     node made/program/program.js http://127.0.0.1:8000 TOKEN kpu QW-2022-014 3

import createClient from "openapi-fetch";
import type { components, paths } from "./made/schema.js";

type Rollup = components["schemas"]["Rollup"];
type Problem = components["schemas"]["Problem"];
type Initiative = components["schemas"]["Initiative"];

function client(server: string, token: string) {
  return createClient<paths>({ baseUrl: server, headers: { Authorization: `Bearer ${token}` } });
}

type Api = ReturnType<typeof client>;

function told(problem: Problem): string {
  const places = (problem.errors ?? []).map((place) => place.pointer ?? place.parameter ?? "");
  return `${problem.status} ${problem.code} ${places.join(" ")}`.trim();
}

async function rollup(api: Api, institution: string): Promise<Rollup> {
  const { data, error } = await api.GET("/api/v1/institutions/{institution}/rollup", {
    params: { path: { institution }, query: { as_of: "2022-11-30" } },
  });
  if (error) throw new Error(told(error));
  return data;
}

function percent({ percent_complete, health, reason }: Rollup): string {
  return percent_complete === null ? `${reason}` : `${percent_complete.toFixed(2)} % ${health}`;
}

async function initiatives(api: Api, institution: string): Promise<Initiative[]> {
  const all: Initiative[] = [];
  let cursor: string | null | undefined = null;
  do {
    const { data, error }: Awaited<ReturnType<typeof page>> = await page(api, institution, cursor);
    if (error) throw new Error(told(error));
    all.push(...data.items);
    cursor = data.next_cursor;
  } while (cursor);
  return all;
}

function page(api: Api, institution: string, cursor: string | null | undefined) {
  return api.GET("/api/v1/institutions/{institution}/initiatives", {
    params: {
      path: { institution },
      query: { status: ["active", "on_hold"], sort: "-due_on,code", limit: 200, ...(cursor ? { cursor } : {}) },
    },
  });
}

async function report(
  api: Api, institution: string, initiative: string, number: number, percent_complete: number,
): Promise<string> {
  const { data, error } = await api.POST(
    "/api/v1/institutions/{institution}/initiatives/{initiative}/milestones/{number}/updates",
    {
      params: {
        path: { institution, initiative, number },
        header: { "Idempotency-Key": `generated-${percent_complete}` },
      },
      body: { percent_complete, note: "From a generated client", evidence: [] },
    },
  );
  return error ? told(error) : `${data.percent_complete} ${data.verification}`;
}

async function rename(api: Api, institution: string, initiative: string, title: string): Promise<string> {
  const path = { institution, initiative };
  const { response } = await api.GET("/api/v1/institutions/{institution}/initiatives/{initiative}", {
    params: { path },
  });
  const { data, error } = await api.PATCH("/api/v1/institutions/{institution}/initiatives/{initiative}", {
    params: { path, header: { "if-match": response.headers.get("ETag") ?? "*" } },
    body: { title, description: null },
  });
  return error ? told(error) : data.title;
}

// What does not fit the document does not compile.
export async function wrong(api: Api): Promise<void> {
  // @ts-expect-error there is no such address
  await api.GET("/api/v1/institutions/{institution}/rollups", { params: { path: { institution: "kpu" } } });
  await api.GET("/api/v1/institutions/{institution}/initiatives", {
    // @ts-expect-error there is no such status
    params: { path: { institution: "kpu" }, query: { status: ["done"] } },
  });
  await api.POST("/api/v1/institutions/{institution}/units", {
    params: { path: { institution: "kpu" } },
    // @ts-expect-error a name is owed
    body: { code: "32" },
  });
  const { data } = await api.GET("/api/v1/me");
  // @ts-expect-error the institution may be null
  data?.institution.toUpperCase();
}

declare const process: { argv: string[] };
const [, , server, token, institution, initiative, number] = process.argv;
if (server && token && institution && initiative && number) {
  const api = client(server, token);
  console.log(percent(await rollup(api, institution)));
  console.log((await initiatives(api, institution)).length);
  console.log(await report(api, institution, initiative, Number(number), 60));
  console.log(await report(api, institution, initiative, Number(number), 600));
  console.log(await rename(api, institution, initiative, "Renamed"));
}
