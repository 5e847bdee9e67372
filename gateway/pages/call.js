// A call's status, polled every few seconds.
//
// The access token is kept in sessionStorage: it survives a reload, which people on call do, and ends with
// the tab. It is sent in the Authorization header and nowhere else.
//
// It is one file, long as it is: the page is served as it stands here, without a build step.

const EVERY_S = 5;
const AT_MOST_S = 60;
const NOT_FOUND_S = 30;
const PATIENCE_MS = 8000;
const TOKEN = "livecalls.token";

const $ = (id) => document.getElementById(id);
const id = idOf(location.pathname);

let call = null;
let etag = null;
let askedAt = null; // when the call was last known to be current
let failures = 0;
let nextAt = null;
let timer = null;
let underWay = null;
let ahead = 0; // how far the server's clock is ahead of ours, in milliseconds

start();

function start() {
  $("id").textContent = id;
  $("ask").addEventListener("submit", takeToken);
  $("refresh").addEventListener("click", refresh);
  $("forget").addEventListener("click", forget);
  document.addEventListener("visibilitychange", refresh);
  setInterval(sayTimes, 1000);
  if (token() === null) {
    askForToken();
  } else {
    refresh();
  }
}

function idOf(path) {
  const text = path.slice("/calls/".length);
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// The token.

function token() {
  return sessionStorage.getItem(TOKEN);
}

function takeToken(event) {
  event.preventDefault();
  const text = $("token").value.trim().replace(/^Bearer\s+/i, "");
  if (/[^!-~]/.test(text)) {
    askForToken("That is no access token: it has spaces or other characters that none has.");
    return;
  }
  sessionStorage.setItem(TOKEN, text);
  $("token").value = "";
  $("ask").hidden = true;
  $("title").tabIndex = -1;
  $("title").focus();
  refresh();
}

function askForToken(reason = "") {
  pause();
  show($("reason"), reason);
  show($("trouble"), "");
  showParts({});
  $("ask").hidden = false;
  $("token").focus();
}

function forget() {
  sessionStorage.removeItem(TOKEN);
  call = etag = askedAt = null;
  $("title").textContent = "A call";
  document.title = "A call – LiveCalls";
  askForToken();
}

// Polling.

// Does nothing if the page is hidden or has no token.
async function refresh() {
  if (document.hidden || token() === null) {
    return;
  }
  pause();
  const asking = (underWay = new AbortController());
  const signal = AbortSignal.any([asking.signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    const reply = await fetch(`/v1/live/calls/${encodeURIComponent(id)}`, {
      headers: requestHeaders(),
      cache: "no-store",
      signal,
    });
    const text = await reply.text();
    if (!asking.signal.aborted) {
      take(reply, text);
    }
  } catch {
    if (!asking.signal.aborted) {
      fail("the service cannot be reached");
    }
  }
}

function pause() {
  clearTimeout(timer);
  underWay?.abort();
  timer = underWay = nextAt = null;
}

function askAgainIn(seconds) {
  nextAt = Date.now() + seconds * 1000;
  timer = setTimeout(refresh, seconds * 1000);
  sayTimes();
}

function requestHeaders() {
  const headers = { Accept: "application/json" };
  if (token()) {
    headers.Authorization = `Bearer ${token()}`;
  }
  if (etag) {
    headers["If-None-Match"] = etag;
  }
  return headers;
}

function take(reply, text) {
  underWay = null;
  ahead = Date.parse(reply.headers.get("date")) - Date.now() || 0;
  if (reply.status === 200 || reply.status === 304) {
    failures = 0;
    askedAt = Date.now();
    if (reply.status === 200) {
      change(text, reply.headers);
    }
    showCall();
    askAgainIn(EVERY_S);
  } else if (reply.status === 401 || reply.status === 403) {
    sessionStorage.removeItem(TOKEN);
    askForToken(`The token is refused. ${messageOf(text)}`);
  } else if (reply.status === 404) {
    showNotFound(messageOf(text));
  } else {
    const waiting = reply.status === 429 || reply.status === 503;
    fail(`the service says ${reply.status}. ${messageOf(text)}`, waiting ? retryAfter(reply) : 0);
  }
}

function messageOf(text) {
  try {
    return String(JSON.parse(text).message ?? "");
  } catch {
    return "";
  }
}

// Returns seconds, from a number of them or a date.
function retryAfter(reply) {
  const text = reply.headers.get("retry-after") ?? "";
  const seconds = Number(text) || (Date.parse(text) - Date.now() - ahead) / 1000;
  return Math.max(0, Math.ceil(seconds) || 0);
}

// Waits longer each time, and never less than `atLeast` seconds.
function fail(reason, atLeast = 0) {
  underWay = null;
  failures += 1;
  const backoff = Math.min(EVERY_S * 2 ** (failures - 1), AT_MOST_S);
  showParts({ call: call !== null, refreshing: true });
  $("call").classList.add("stale");
  show($("trouble"), "");
  $("trouble").append(...troubleParts(reason));
  $("trouble").hidden = false;
  tell(`Refreshing failed: ${reason}`);
  askAgainIn(Math.max(backoff, atLeast));
}

function troubleParts(reason) {
  const what = sentence(reason);
  if (!askedAt) {
    return [`The call cannot be shown: ${what}`];
  }
  return ["What you see is not fresh. Last refreshed ", timeOf(askedAt), `; since then, ${what}`];
}

function sentence(text) {
  const trimmed = text.trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

// Showing.

function change(text, headers) {
  const before = call && wordsOf(call);
  call = JSON.parse(text);
  etag = headers.get("etag");
  $("json").textContent = JSON.stringify(call, null, 2);
  $("etag").textContent = etag ?? "none";
  $("request").textContent = headers.get("x-request-id") ?? "none";
  if (before !== wordsOf(call)) {
    tell(wordsOf(call));
  }
}

function showCall() {
  show($("trouble"), "");
  showParts({ call: true, refreshing: true });
  $("call").classList.remove("stale");
  const title = call.title || "Untitled call";
  $("title").textContent = title;
  const state = rowState(call);
  document.title = `${state.word} · ${title} – LiveCalls`;
  showState("status", "since", state);
  showState("live", "live-since", streamState(call));
  show($("differ"), difference(call));
  $("facts").replaceChildren(...facts(call).map(([name, value]) => fact(name, value)));
  sayTimes();
}

function showParts({ call = false, refreshing = false }) {
  $("call").hidden = $("more").hidden = !call;
  $("refreshing").hidden = !refreshing;
}

function showNotFound(message) {
  failures = 0;
  call = etag = askedAt = null;
  showParts({ refreshing: true });
  $("title").textContent = "Not found";
  document.title = "Not found – LiveCalls";
  show($("trouble"), `${message} It is looked for again every ${NOT_FOUND_S} seconds.`);
  tell(message);
  askAgainIn(NOT_FOUND_S);
}

function wordsOf(a) {
  return `The row says ${rowState(a).word.toLowerCase()}, Stream says ${streamState(a).word.toLowerCase()}.`;
}

function rowState(a) {
  switch (a.status) {
    case "scheduled":
      return { kind: "planned", word: "Scheduled", before: "", at: a.scheduled_at, none: "for no time" };
    case "live":
      return { kind: "on", word: "Live", before: "started ", at: a.started_at, none: "when it began is not known" };
    case "ended":
      return { kind: "over", word: "Ended", before: "", at: a.ended_at, none: "when it ended is not known" };
    case "errored":
      return { kind: "failed", word: "Errored", before: "last changed ", at: a.updated_at };
    default:
      return { kind: "unknown", word: String(a.status), before: "last changed ", at: a.updated_at };
  }
}

function streamState(a) {
  if (a.live === null) {
    const why = a.stream_call_id === null ? "The call is not at Stream." : "Stream was not asked, knows no such call, or gave no usable answer in time.";
    return { kind: "unknown", word: "Not known", none: `${why} It may be on air all the same.` };
  }
  if (a.live.is_live) {
    return { kind: "on", word: "On air", none: "Out of backstage, in a session that is live." };
  }
  if (a.live.ended_at) {
    return { kind: "over", word: "Ended", before: "", at: a.live.ended_at };
  }
  return { kind: "off", word: "Not on air", none: "In backstage, or in no session that is live." };
}

// What people on call should look at: the two disagree.
function difference(a) {
  if (a.live === null || a.live.is_live === (a.status === "live")) {
    return "";
  }
  return a.live.is_live
    ? `The two differ: Stream has the call on air, and the row says ${a.status}.`
    : "The two differ: the row says live, and Stream does not have the call on air.";
}

function showState(stateId, sinceId, state) {
  $(stateId).className = `state ${state.kind}`;
  $(stateId).textContent = state.word;
  const since = document.createElement("b");
  if (state.at) {
    since.append(state.before, relativeOf(state.at));
    $(sinceId).replaceChildren(since, timeOf(state.at));
  } else {
    $(sinceId).replaceChildren(state.none);
  }
}

function facts(a) {
  return [
    ["Scheduled", moment(a.scheduled_at, "never")],
    ["Started", moment(a.started_at, "not yet")],
    ["Ended", moment(a.ended_at, "not yet")],
    ["Recording", recording(a)],
    ["Host", [text(a.host_user_id)]],
    ["At Stream", a.stream_call_id === null ? none("no call") : [text(`${a.stream_call_type}:${a.stream_call_id}`)]],
    ["Session", a.live?.current_session_id ? [text(a.live.current_session_id)] : none(a.live ? "none yet" : "not known")],
    ["Row made", moment(a.created_at, "")],
    ["Row changed", moment(a.updated_at, "")],
  ];
}

function fact(name, value) {
  const line = document.createElement("div");
  const term = document.createElement("dt");
  const description = document.createElement("dd");
  term.textContent = name;
  description.append(...value);
  line.append(term, description);
  return line;
}

function moment(at, otherwise) {
  if (!at) {
    return none(otherwise);
  }
  const ago = relativeOf(at);
  ago.className = "ago";
  return [timeOf(at), " ", ago];
}

// A link, but only to the web: any other URL could run something, or lead nowhere.
function recording(a) {
  if (a.recording_url === null) {
    return none("none");
  }
  const ready = a.recording_ready_at ? ["; ready ", relativeOf(a.recording_ready_at)] : [];
  const url = URL.canParse(a.recording_url) ? new URL(a.recording_url) : null;
  if (url?.protocol !== "https:" && url?.protocol !== "http:") {
    return [text(a.recording_url), " (no web address)", ...ready];
  }
  const link = document.createElement("a");
  link.href = url.href;
  link.rel = "noreferrer noopener";
  link.textContent = a.recording_url;
  return [link, ...ready];
}

function none(word) {
  const span = document.createElement("span");
  span.className = "none";
  span.textContent = word;
  return [span];
}

function text(value) {
  const code = document.createElement("code");
  code.textContent = value;
  return code;
}

function show(element, message) {
  element.textContent = message;
  element.hidden = !message;
}

function tell(message) {
  $("news").textContent = message;
}

// Times.

const ABSOLUTE = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  timeZoneName: "short",
});
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

function timeOf(at) {
  const time = document.createElement("time");
  const date = new Date(at);
  time.dateTime = date.toISOString();
  time.textContent = ABSOLUTE.format(date);
  return time;
}

function relativeOf(at) {
  const span = document.createElement("span");
  span.dataset.relative = at;
  span.textContent = relativeTo(at);
  return span;
}

function relativeTo(at) {
  const seconds = (Date.parse(at) - Date.now() - ahead) / 1000;
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length * 1.5) ?? ["second", 1];
  return RELATIVE.format(Math.round(seconds / size), unit);
}

function sayTimes() {
  for (const span of document.querySelectorAll("[data-relative]")) {
    span.textContent = relativeTo(span.dataset.relative);
  }
  $("freshness").textContent = [freshness(), next()].filter(Boolean).join(" ");
}

function freshness() {
  if (!askedAt) {
    return "";
  }
  return `${failures ? "Last refreshed" : "Refreshed"} ${RELATIVE.format(Math.round((askedAt - Date.now()) / 1000), "second")}.`;
}

function next() {
  if (!nextAt) {
    return underWay ? "Refreshing…" : "";
  }
  const seconds = Math.max(0, Math.ceil((nextAt - Date.now()) / 1000));
  return failures ? `Trying again in ${seconds} s.` : `Again in ${seconds} s.`;
}
