/**
 * Starting programs on this host: what the rest of the project may use of it.
 *
 * @module
 */

export { type FilesLimit, Launcher, type LauncherOptions } from "./launcher.ts";
