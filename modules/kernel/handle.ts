/**
 * ModuleHandle: what `getApi()` returns. A handle is an object with its caller in a plain field and one prototype a
 * service and aspect; that prototype carries a forwarder for each public method. A forwarder reads a cell that the
 * switch rewrites, so a handle is never stale, and adds one count to an asynchronous call. There is no Proxy on this
 * path; unknown names, queues, options and refusals are the slow path (`calls.ts`).
 */
import { inspect } from 'node:util'
import type { HandlePrototype } from '../contracts/calls.ts'
import type { RouteRecord, Switchboard } from '../contracts/kernel-port.ts'
import type { CallOptions, HandleStats } from '../contracts/module.ts'
import type {
  Admission,
  AspectContract,
  AspectRoute,
  CallerRecord,
  Cell,
  Edge,
  HandleRecord,
} from '../contracts/state.ts'
import { retireEdge } from './counts.ts'

/** What forwarders need of the slow path. */
export interface SlowPath {
  invoke(route: AspectRoute, method: string, handle: HandleRecord | undefined, args: unknown[]): Promise<unknown>
  stream(route: AspectRoute, method: string, handle: HandleRecord | undefined, args: unknown[]): AsyncGenerator<unknown>
  /** A synchronous throw of the callee, as a rejected promise that is never "unhandled". */
  threw(edge: Edge, thrown: unknown): Promise<never>
  /** Counts a promise or a foreign thenable until it settles. */
  track(edge: Edge, result: PromiseLike<unknown>): Promise<unknown>
  withOptions(handle: HandleRecord, route: AspectRoute, options: CallOptions): object
  asAspect(handle: HandleRecord, route: AspectRoute, aspect: string): object
  stats(handle: HandleRecord, route: AspectRoute): HandleStats
}

/** No generation: calls go to the slow path, which knows why. */
export const CLOSED: Admission = { generation: undefined }

/** An edge whose next call takes the slow path to be timed: measuring costs the other calls nothing. */
export const SAMPLING: Admission = { generation: undefined }

/** The class of all handles. Its methods stand on the switchboard's shared prototype. */
export class ModuleHandle {
  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && '_route' in value && '_edge' in value
  }

  static install(switchboard: Switchboard, slow: SlowPath): void {
    const methods: Record<string | symbol, unknown> = {
      as(this: HandleRecord & HandlePrototype, aspect: string) {
        return slow.asAspect(this, this._route, aspect)
      },
      with(this: HandleRecord & HandlePrototype, options: CallOptions) {
        return slow.withOptions(this, this._route, options)
      },
      getStats(this: HandleRecord & HandlePrototype) {
        return slow.stats(this, this._route)
      },
      toString(this: HandlePrototype) {
        return `[handle ${this._route.api}]`
      },
      [inspect.custom](this: HandlePrototype) {
        return `[handle ${this._route.api}${this._route.aspect === 'default' ? '' : ` as ${this._route.aspect}`}]`
      },
    }
    for (const name of Reflect.ownKeys(methods)) {
      Object.defineProperty(switchboard.handleBase, name, { value: methods[name], configurable: true, writable: true })
    }
    switchboard.onMiss = (handle, name) => {
      const route = (handle as Partial<HandlePrototype>)._route
      if (route === undefined || name.startsWith('_handle')) return undefined
      return (...args: unknown[]) => slow.invoke(route, name, handle as HandleRecord, args)
    }
  }
}

export function routeOf(switchboard: Switchboard, api: string): RouteRecord {
  let route = switchboard.routes.get(api)
  if (route === undefined) {
    route = { api, aspects: new Map() }
    switchboard.routes.set(api, route)
  }
  return route
}

export function aspectRouteOf(switchboard: Switchboard, api: string, aspect: string): AspectRoute {
  const { aspects } = routeOf(switchboard, api)
  let route = aspects.get(aspect)
  if (route === undefined) {
    const prototype = Object.create(switchboard.handleBase) as object
    // Not made from `prototype`: what is put on an object that is a prototype already costs ten times as much.
    const loose = makeHandle(switchboard.handleBase, createCaller('anonymous', 0))
    route = { api, aspect, prototype, cells: new Map(), loose }
    Object.defineProperty(prototype, '_route', { value: route })
    aspects.set(aspect, route)
  }
  return route
}

export const createCaller = (api: string, generation: number): CallerRecord => ({
  api,
  generation,
  stopped: false,
  handles: new Map(),
  edges: new Set(),
  waiting: new Map(),
  starting: undefined,
})

/** A stopped caller's handles fall back to the slow path, which refuses them. */
export function stopCaller(caller: CallerRecord): void {
  caller.stopped = true
  for (const handle of caller.handles.values()) handle._edge = undefined
  caller.handles.clear()
  for (const edge of caller.edges) retireEdge(edge)
}

export const createHandle = (route: AspectRoute, caller: CallerRecord): HandleRecord =>
  makeHandle(route.prototype, caller)

function makeHandle(prototype: object, caller: CallerRecord): HandleRecord {
  const handle = Object.create(prototype) as HandleRecord
  handle._caller = caller
  handle._edge = undefined
  handle._used = 0
  return handle
}

/**
 * Points a route at a generation, in one synchronous tick. Names an earlier generation had stay as closed cells, so
 * that handles held since then get a clear refusal.
 */
export function openRoute(
  route: AspectRoute,
  contract: AspectContract,
  admission: Admission,
  slow: SlowPath,
  passCaller = false,
): void {
  for (const cell of route.cells.values()) {
    if (contract.methods.has(cell.method)) continue
    cell.kind = 'gone'
    cell.admission = CLOSED
  }
  for (const [name, method] of contract.methods) {
    const known = route.cells.get(name)
    const fresh = known === undefined || known.kind !== method.info.kind
    const cell: Cell = known ?? { method: name, fn: method.fn, self: method.self, kind: method.info.kind, admission }
    cell.fn = method.fn
    cell.self = method.self
    cell.kind = method.info.kind
    cell.admission = admission
    route.cells.set(name, cell)
    if (fresh) install(route, cell, slow, passCaller)
  }
}

/** Sends every call of a route to the slow path: it queues or refuses them. */
export function closeRoute(route: AspectRoute): void {
  for (const cell of route.cells.values()) cell.admission = CLOSED
}

/** Another kernel's forwarders give way to this one's; every call takes the slow path until the route is opened. */
export function reinstall(switchboard: Switchboard, api: string, slow: SlowPath, passCaller = false): void {
  for (const route of routeOf(switchboard, api).aspects.values()) {
    const { loose } = route
    loose._used += loose._edge?.calls ?? 0
    loose._edge = undefined
    for (const cell of route.cells.values()) {
      cell.admission = CLOSED
      install(route, cell, slow, passCaller && route.aspect === 'default')
    }
  }
}

function install(route: AspectRoute, cell: Cell, slow: SlowPath, passCaller: boolean): void {
  const forward =
    cell.kind === 'stream'
      ? streamForwarder(route, cell, slow, passCaller)
      : passCaller
        ? tellingForwarder(route, cell, slow)
        : callForwarder(route, cell, slow)
  Object.defineProperty(route.prototype, cell.method, {
    value: forward,
    configurable: true,
    writable: true,
    enumerable: true,
  })
}

function streamForwarder(route: AspectRoute, cell: Cell, slow: SlowPath, passCaller: boolean) {
  return function forward(this: HandleRecord | undefined, ...args: unknown[]): AsyncGenerator<unknown> {
    return slow.stream(route, cell.method, this, passCaller ? [(this ?? route.loose)._caller, ...args] : args)
  }
}

/** Puts the caller before the arguments: only the built-in `kernel` service is told who calls in this way. */
function tellingForwarder(route: AspectRoute, cell: Cell, slow: SlowPath) {
  return function forward(this: HandleRecord | undefined, ...args: unknown[]): Promise<unknown> {
    const edge = this?._edge
    if (edge === undefined || edge.admission !== cell.admission) return slow.invoke(route, cell.method, this, args)
    edge.calls++
    try {
      return slow.track(edge, Promise.resolve(cell.fn.call(cell.self, edge.caller, ...args)))
    } catch (thrown) {
      return slow.threw(edge, thrown)
    }
  }
}

/** Apart from the hot path: there `args` is only ever spread, so that the engine need not make an array of them. */
function aside(
  slow: SlowPath,
  route: AspectRoute,
  method: string,
  handle: HandleRecord | undefined,
  ...args: unknown[]
): Promise<unknown> {
  return slow.invoke(route, method, handle, args)
}

/** The hot path. Every instruction here is paid by every call: measure (`npm run bench -- handle`) before adding one. */
function callForwarder(route: AspectRoute, cell: Cell, slow: SlowPath) {
  return function forward(this: HandleRecord | undefined, ...args: unknown[]): Promise<unknown> {
    const edge = this?._edge
    if (edge === undefined || edge.admission !== cell.admission) return aside(slow, route, cell.method, this, ...args)
    edge.calls++
    let result: unknown
    try {
      result = cell.fn.apply(cell.self, args)
    } catch (thrown) {
      return slow.threw(edge, thrown)
    }
    if (result instanceof Promise) {
      edge.open++
      result.then(edge.ok, edge.failed)
      return result
    }
    return isThenable(result) ? slow.track(edge, result) : Promise.resolve(result)
  }
}

/** A foreign promise: an object of another library, or of another realm, that has a `then`. */
const isThenable = (result: unknown): result is PromiseLike<unknown> =>
  typeof result === 'object' && result !== null && typeof (result as { then?: unknown }).then === 'function'
