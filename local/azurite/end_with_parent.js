// Loaded into Azurite before its own code: ends it when whoever started it is gone.
//
// The parent holds the other end of stdin. When the parent dies, however it dies, the pipe closes.
// SIGTERM is what Azurite ends on cleanly: it writes its tables, which are else minutes old on disk.
"use strict";

const GRACE_MS = 10000;

process.stdin.once("close", () => {
  setTimeout(() => process.exit(1), GRACE_MS).unref();
  process.kill(process.pid, "SIGTERM");
});
process.stdin.resume();
process.stdin.unref();
