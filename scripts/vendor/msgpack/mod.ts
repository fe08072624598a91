// A stand-in for @std/msgpack where JSR can't be reached. It is written out
// rather than put over a package, so that it needs no download at all and what
// it accepts, refuses and puts on the wire is what the real one does.

export * from "./decode.ts";
export * from "./encode.ts";
