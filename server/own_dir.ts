/**
 * Directories and files that no other user of the machine can exchange for others: the rules are
 * those by which an SSH server takes a file of keys.
 *
 * @module
 */

import { CircuitError } from "../overlay/errors.ts";

/** Bits of a mode: all users may write; only an entry's owner may move or remove it. */
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** Most symbolic links on the way to a directory, as on Linux. */
const MAX_LINKS = 40;

/**
 * Goes to a directory from the root on, following links, and makes what is missing.
 *
 * Each directory and link on the way must belong to this user or to root, and only its owner and
 * group may write in a directory. One on the way, as `/tmp`, may be open to all if it is sticky.
 *
 * @returns its path without links.
 * @throws {CircuitError} `DENIED` naming what is at fault, or `BAD_REQUEST` for too many links.
 * @throws {Error} why it cannot be made or looked at.
 */
export async function takeOwnDir(path: string): Promise<string> {
  const left = (path.startsWith("/") ? path : `${Deno.cwd()}/${path}`).split("/");
  let at = "";
  let links = 0;
  await checkDirectory("/", path);
  while (left.length > 0) {
    const name = left.shift();
    if (!name || name === ".") continue;
    if (name === "..") {
      at = at.slice(0, at.lastIndexOf("/"));
      continue;
    }
    const next = `${at}/${name}`;
    const found = await Deno.lstat(next).catch(ifMissing) ?? await made(next);
    if (!found.isSymlink) {
      at = next;
      await checkDirectory(at, path, found);
      continue;
    }
    checkOwner(found, `link ${next}`, path);
    if (++links > MAX_LINKS) {
      throw new CircuitError("BAD_REQUEST", `cannot use directory ${path}: too many links`);
    }
    const target = await Deno.readLink(next);
    if (target.startsWith("/")) at = "";
    left.unshift(...target.split("/"));
  }
  const end = at || "/";
  if (canOthersWrite(await Deno.lstat(end))) throw openToAll(end, path);
  return end;
}

/**
 * Makes sure that what is at a path, if anything, is not another user's, as a link that leads
 * elsewhere.
 *
 * @throws {CircuitError} `DENIED` if it is.
 */
export async function checkOwnFile(path: string): Promise<void> {
  const { uid = null } = await Deno.lstat(path).catch(ifMissing) ?? {};
  if (isOurs(uid)) return;
  throw new CircuitError("DENIED", `cannot use ${path}: it belongs to user ${uid}`);
}

async function made(path: string): Promise<Deno.FileInfo> {
  await Deno.mkdir(path, { mode: 0o700 }).catch((error) => {
    // Another server may have been faster.
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  });
  return await Deno.lstat(path);
}

async function checkDirectory(at: string, path: string, info?: Deno.FileInfo): Promise<void> {
  const found = info ?? await Deno.lstat(at);
  if (!found.isDirectory) {
    throw new CircuitError("BAD_REQUEST", `cannot use directory ${path}: ${at} is a file`);
  }
  checkOwner(found, at, path);
  const sticky = ((found.mode ?? 0) & STICKY) !== 0;
  if (canOthersWrite(found) && !sticky) throw openToAll(at, path);
}

function canOthersWrite({ mode }: Deno.FileInfo): boolean {
  return ((mode ?? 0) & OTHERS_WRITE) !== 0;
}

function checkOwner({ uid }: Deno.FileInfo, what: string, path: string): void {
  if (isOurs(uid)) return;
  throw refused(path, `${what === path ? "it" : what} belongs to user ${uid}`);
}

/** Whether an owner is this user or root; null where the system has none. */
function isOurs(uid: number | null): boolean {
  return uid === null || uid === 0 || uid === Deno.uid();
}

function openToAll(at: string, path: string): CircuitError {
  return refused(path, `all users of this machine can write ${at === path ? "there" : `in ${at}`}`);
}

function refused(path: string, why: string): CircuitError {
  return new CircuitError(
    "DENIED",
    `cannot use directory ${path}: ${why}, want one that only this server's user can write in`,
  );
}

function ifMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
