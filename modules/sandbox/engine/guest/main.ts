/**
 * The bootstrap of an isolate. It is given the one callback that leads out, and gives back the one function that leads in;
 * both stay in closures that code of a module never sees. `boot` is called once, by whoever made the isolate.
 */
import type { CodeOwner } from '../../../contracts/seams.ts'
import { AbortController, AbortSignal, onListenerFault } from './abort.ts'
import { Channel, type Send } from './channel.ts'
import { coded, flatten, setRows, type Rows } from './errors.ts'
import { installGlobals } from './globals.ts'
import { Handles } from './handles.ts'
import { metaMachine } from './lib.ts'
import { Linker, type LinkedFile } from './link.ts'
import { GuestModule } from './module.ts'
import { Signals } from './signals.ts'
import { Timers } from './timers.ts'
import type { ToSchema } from './tools.ts'

export interface BootData {
  owner: CodeOwner
  /** id of the file that exports the module */
  entry: string
  /** id of the zod the module brings; empty when it brings none */
  zod: string
  message_bytes_max: number
  messages_max: number
  /** 64 hexadecimal digits */
  seed: string
  rows: Rows
}

export interface Booted {
  receive(packets: readonly (string | Uint8Array | undefined)[]): void
  /** takes the files of the program; called by its script */
  add(files: readonly LinkedFile[]): void
}

const NOT_LATER = 'code is not loaded while it runs'
const STATICALLY = 'import it statically, at the top of the file'

export function boot(send: Send, data: BootData): Booted {
  setRows(data.rows)
  const channel = new Channel(send, data)
  const fault = (thrown: unknown): void => channel.tell({ tell: 'fault', error: flatten(thrown) })
  onListenerFault(fault)
  const timers = new Timers((ms) => channel.wakeAfter(ms), fault)
  channel.onWake = () => timers.woken()
  channel.signals = new Signals({
    isSignal: (value) => value instanceof AbortSignal,
    create: () => new AbortController(),
    tell: (id) => channel.abort(id),
  })
  installGlobals({ channel, timers, seed: data.seed })
  const linker = new Linker({
    outside: (id) => {
      if (id === 'meta-machine') return metaMachine
      throw coded('import_refused', { specifier: id, reason: 'it is not in the sandbox', instead: STATICALLY })
    },
    refuse: (specifier) => coded('import_refused', { specifier, reason: NOT_LATER, instead: STATICALLY }),
  })
  serve(channel, timers, linker, data)
  return { receive: (packets) => channel.receive(packets), add: (files) => linker.add(files) }
}

function serve(channel: Channel, timers: Timers, linker: Linker, { owner, entry, zod }: BootData): void {
  const ended = new AbortController()
  let toJsonSchema: ToSchema | undefined
  const module = new GuestModule({
    owner,
    world: {
      channel,
      handles: new Handles(channel),
      timers,
      tasks: { controller: new AbortController() },
      ended: ended.signal,
    },
    end: () => ended.abort(),
    async evaluate() {
      const exports = await linker.run(entry)
      if (zod !== '') toJsonSchema = (await linker.run(zod))['toJSONSchema'] as ToSchema
      return exports
    },
    toJsonSchema: () => toJsonSchema,
  })
  channel.answers = {
    load: () => module.load(),
    config: (what: never) => module.config(what),
    construct: (what: never) => module.construct(what),
    aspect: (what: never) => module.aspect(what),
    selfTest: () => module.selfTest(),
    configure: (what: never) => module.configure(what),
    run: () => module.run(),
    abort: () => module.abort(),
    call: (what: never) => module.call(what),
    open: (what: never) => module.open(what),
    next: (what: never) => module.next(what),
    close: (what: never) => module.close(what),
    handOver: () => module.handOver(),
    takeOver: (what: never) => module.takeOver(what),
    release: (what: never) => module.release(what),
    turn: (what: never) => module.turn(what),
    shutdown: () => module.shutdown(),
  }
}
