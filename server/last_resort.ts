/**
 * What a program does about an error that nobody has caught, instead of ending at once.
 *
 * @module
 */

/**
 * Calls back with each uncaught exception and unhandled rejection, which then do not end the program.
 *
 * @returns what ends this.
 */
export function onFault(callback: (error: unknown) => void): () => void {
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    callback(event.error);
  };
  const onRejection = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    callback(event.reason);
  };
  globalThis.addEventListener("error", onError);
  globalThis.addEventListener("unhandledrejection", onRejection);
  return () => {
    globalThis.removeEventListener("error", onError);
    globalThis.removeEventListener("unhandledrejection", onRejection);
  };
}
