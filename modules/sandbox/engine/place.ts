/**
 * What a place in a child process and one in this process have in common: a program is prepared, a guest is opened, and
 * what it throws while it is evaluated becomes a coded error with its place.
 */
import { ERRORS, type ErrorCode } from '../../contracts/errors.ts'
import type { Guest, GuestEvents, GuestLimits, GuestProgram } from '../../contracts/sandbox.ts'
import type { Clock } from '../../contracts/seams.ts'
import { coded, codeOf, reasonOf } from '../../lib/errors.ts'
import { GuestClient, type Line } from './guest-client.ts'
import type { GuestCode } from './isolate.ts'
import { flatCode } from './flat-code.ts'
import { Packages } from './packages.ts'
import { prepare, type Prepared } from './program.ts'
import { placeOfError } from './stack-text.ts'

const packages = new Packages()

/** Rows that are filled in inside: the bootstrap is not given the whole table. */
const ROWS = [
  'sandbox_flood',
  'sandbox_message_size',
  'sandbox_value',
  'sandbox_not_here',
  'sandbox_late_read',
  'import_refused',
  'stopped',
  'config_invalid',
  'method_not_found',
  'aspect_invalid',
  'bad_params',
] as const satisfies readonly ErrorCode[]

const rows = Object.fromEntries(ROWS.map((code) => [code, { message: ERRORS[code].message, hint: ERRORS[code].hint }]))

/** The function body that makes an isolate ready: it is given the callback, the data, and how many scripts follow. */
export const bootstrapText = (): string => `"use strict";
return (() => {
${flatCode('guest/main')}
const booted = boot($0, JSON.parse($1));
let left = $2;
const remove = Reflect.deleteProperty;
Object.defineProperty(globalThis, '__sandbox_add__', { configurable: true, value(files) {
  booted.add(files);
  if (--left === 0) remove(globalThis, '__sandbox_add__');
} });
return (...packets) => booted.receive(packets);
})()`

export type MakeClient = (line: Line) => GuestClient

export interface StartCode {
  parts: Prepared['parts']
  boot: GuestCode['boot']
}

export interface OpenOptions {
  program: GuestProgram
  limits: GuestLimits
  events: GuestEvents
  clock: Clock
  /** Starts the guest; the client is told what comes from it. */
  start(make: MakeClient, code: StartCode): GuestClient
}

export async function openGuest({ program, limits, events, clock, start }: OpenOptions): Promise<Guest> {
  const prepared = await prepare(program, packages)
  const { owner } = program
  const { message_bytes_max, messages_max } = limits
  const boot = { owner, entry: prepared.entry, zod: prepared.zod, message_bytes_max, messages_max, rows }
  const make: MakeClient = (line) => new GuestClient({ line, limits, events, prepared, clock, service: owner.service })
  const client = start(make, { parts: prepared.parts, boot })
  try {
    await client.load()
    return client
  } catch (thrown) {
    await client.close()
    throw refusal(thrown, program)
  }
}

function refusal(thrown: unknown, { entry }: GuestProgram): unknown {
  const code = codeOf(thrown)
  const place = placeOfError(thrown)
  // Only what the engine says of it passes as it is: a module may throw any code it likes.
  if (code?.startsWith('sandbox_') === true && place === undefined) return thrown
  if (code === 'stopped') return thrown
  const where =
    place?.file === undefined ? { file: entry } : { file: place.file, line: place.line, column: place.column }
  return coded('module_threw', { reason: reasonOf(thrown) }, where, thrown)
}
