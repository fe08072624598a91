/**
 * Whether the system itself executes a file. It has to be known before: what starts programs (libc's
 * `execvp`, in Deno and in tools such as `setsid`) hands a file that the system does not execute to
 * a shell.
 *
 * @module
 */

/** Bytes of a file's beginning that are looked at: what Linux reads of a script's first line. */
export const HEAD_BYTES = 256;

/** Of what a file's beginning says it is. */
export type Format =
  /** A program of this machine. */
  | "program"
  /** A script: the file that runs it, as the script names it. */
  | { readonly interpreter: string }
  /** Nothing that the system executes by itself; why, for the end of a sentence. */
  | { readonly refused: string };

/** A kind of ELF file that a machine executes. */
interface Machine {
  /** 1 for 32 bits, 2 for 64. */
  readonly class: number;
  readonly machine: number;
}

/** What each machine executes of its own, by Deno's name for it; see elf(5). */
const OWN: Readonly<Record<string, Machine>> = {
  x86_64: { class: 2, machine: 62 },
  aarch64: { class: 2, machine: 183 },
};

/** What an x86-64 executes besides, if its system was made to. */
const I386: Machine = { class: 1, machine: 3 };

/** The file that a Linux has which executes {@linkcode I386} on x86-64. */
export const I386_SIGN = "/proc/sys/abi/vsyscall32";

const NOT_EXECUTABLE =
  'exec format error: it is not an executable, and not a script that begins with "#!"';

/**
 * What a file is, by its beginning.
 *
 * @param head Its first {@linkcode HEAD_BYTES} bytes, fewer if it is shorter.
 * @param size Its size in bytes.
 * @param options `os`, `arch`: the machine, by default this one; `i386`: whether an x86-64 Linux
 * executes programs of its 32-bit ancestor.
 */
export function formatOf(
  head: Uint8Array,
  size: number,
  options: { os?: string; arch?: string; i386?: boolean } = {},
): Format {
  const { os = Deno.build.os, arch = Deno.build.arch, i386 = false } = options;
  if (head[0] === 0x23 && head[1] === 0x21) return script(head);
  // Other systems' formats are not known here; only a text is surely none of them.
  if (os !== "linux") return head.includes(0) ? "program" : { refused: NOT_EXECUTABLE };
  if (![0x7f, 0x45, 0x4c, 0x46].every((byte, at) => head[at] === byte)) {
    return { refused: NOT_EXECUTABLE };
  }
  return elf(head, size, [OWN[arch], arch === "x86_64" && i386 ? I386 : undefined]);
}

/** The first line of a script, as Linux reads it: blanks, the interpreter, and perhaps an argument. */
function script(head: Uint8Array): Format {
  const newline = head.indexOf(0x0a);
  const line = new TextDecoder().decode(head.subarray(2, newline < 0 ? undefined : newline));
  const interpreter = /^[ \t]*([^ \t\0]+)/.exec(line)?.[1];
  if (interpreter === undefined) return { refused: `${NOT_EXECUTABLE} and an interpreter` };
  // Linux would not take a name that it cannot read whole.
  if (newline < 0 && head.length === HEAD_BYTES && line.trimStart().length === interpreter.length) {
    return { refused: `its first line is longer than ${HEAD_BYTES} bytes` };
  }
  return { interpreter };
}

/** Asks all that Linux asks before it takes a file for a program that it executes. */
function elf(head: Uint8Array, size: number, machines: readonly (Machine | undefined)[]): Format {
  const broken = { refused: "exec format error: its ELF header is damaged or cut off" };
  if (head.length < 64) return broken;
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const bits = head[4];
  if ((bits !== 1 && bits !== 2) || (head[5] !== 1 && head[5] !== 2)) return broken;
  const little = head[5] === 1;
  const type = view.getUint16(16, little);
  const machine = view.getUint16(18, little);
  if (!little || !machines.some((each) => each?.class === bits && each.machine === machine)) {
    return { refused: "exec format error: it is a program for another kind of machine" };
  }
  // Executable, or position-independent.
  if (type !== 2 && type !== 3) {
    return { refused: "exec format error: it is an ELF file, but not a program" };
  }
  const wide = bits === 2;
  const at = wide ? Number(view.getBigUint64(32, true)) : view.getUint32(28, true);
  const entryBytes = view.getUint16(wide ? 54 : 42, true);
  const count = view.getUint16(wide ? 56 : 44, true);
  const wanted = wide ? 56 : 32;
  return entryBytes === wanted && count > 0 && at + count * wanted <= size ? "program" : broken;
}
