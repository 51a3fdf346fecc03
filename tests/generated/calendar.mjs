// Reads a calendar with ical.js, which Thunderbird reads calendars with, and prints its events.
//
//     node calendar.mjs calendar.ics

import { readFile } from "node:fs/promises";
import ICAL from "ical.js";

const text = await readFile(process.argv[2], "utf8");
const calendar = new ICAL.Component(ICAL.parse(text));
const events = calendar.getAllSubcomponents("vevent").map((each) => {
  const event = new ICAL.Event(each);
  return {
    uid: event.uid,
    summary: event.summary,
    description: event.description,
    sequence: event.sequence,
    starts: event.startDate.toString(),
    ends: event.endDate.toString(),
    isWholeDay: event.startDate.isDate,
    status: each.getFirstPropertyValue("status"),
    days: event.duration.toSeconds() / 86_400,
  };
});
console.log(JSON.stringify({ name: calendar.getFirstPropertyValue("name"), events }));
