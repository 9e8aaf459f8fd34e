/**
 * The built-ins the bootstrap works with, taken before any code of a module runs: what a module does to the prototypes
 * of its realm changes nothing here. Methods are functions of their receiver. The same file serves the other side, where
 * nobody poisons anything, because both speak by one codec.
 */
const { apply, construct, ownKeys, getPrototypeOf } = Reflect
const { bind, call } = Function.prototype

type Method<A extends unknown[], R> = (this: never, ...args: A) => R

/** A method as a function of its receiver. */
const uncurry = apply(bind, call, [bind]) as unknown as (
  receiver: typeof call,
  method: unknown,
) => (...args: never[]) => never
export const free = <A extends unknown[], R>(method: Method<A, R>): ((self: unknown, ...args: A) => R) =>
  uncurry(call, method) as unknown as (self: unknown, ...args: A) => R

export { apply, construct, ownKeys, getPrototypeOf }
export const { create, freeze, keys, getOwnPropertyDescriptor } = Object
export const { setPrototypeOf } = Object
const { defineProperty: define } = Object
/** What a descriptor does not say is not asked of a prototype either. */
export const defineProperty = <T>(target: T, name: PropertyKey, descriptor: PropertyDescriptor): T =>
  define(target, name, setPrototypeOf(descriptor, null) as PropertyDescriptor)
export const { isArray } = Array
export const { parse, stringify } = JSON
export const { isView } = ArrayBuffer
export const { isFinite: isFiniteNumber } = Number
export const { fromCharCode } = String
export const { min, floor } = Math
export const now = Date.now
export const text = String
export const big = BigInt

export const hasOwn = free(Object.prototype.hasOwnProperty)
export const inherits = free(Object.prototype.isPrototypeOf)
export const slice = free(String.prototype.slice)
export const codeAt = free(String.prototype.charCodeAt)
export const timeOf = free(Date.prototype.getTime)
export const eachOfMap = free(Map.prototype.forEach)
export const eachOfSet = free(Set.prototype.forEach)
export const setBytes = free(Uint8Array.prototype.set)
export const subarray = free(Uint8Array.prototype.subarray)
export const onSettled = free(Promise.prototype.then) as unknown as (
  self: Promise<unknown>,
  done: (value: never) => unknown,
  failed?: (thrown: unknown) => unknown,
) => Promise<unknown>

const getter = (of: object, name: string): ((self: unknown) => never) =>
  free(getOwnPropertyDescriptor(of, name)?.get as Method<[], never>)
export const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype) as object
export const bufferOf = getter(TypedArrayPrototype, 'buffer') as (self: unknown) => ArrayBuffer
export const offsetOf = getter(TypedArrayPrototype, 'byteOffset') as (self: unknown) => number
export const bytesOf = getter(TypedArrayPrototype, 'byteLength') as (self: unknown) => number
export const kindOf = getter(TypedArrayPrototype, Symbol.toStringTag as unknown as string) as (self: unknown) => string
export const bufferLength = getter(ArrayBuffer.prototype, 'byteLength') as (self: unknown) => number

export const DatePrototype = Date.prototype
export const MapPrototype = Map.prototype
export const SetPrototype = Set.prototype
export const ErrorPrototype = Error.prototype
export const PromisePrototype = Promise.prototype
export const BufferPrototype = ArrayBuffer.prototype
export const ObjectPrototype = Object.prototype
export const ViewPrototype = DataView.prototype
export const NativePromise = Promise
export const NativeDate = Date
export const NativeError = Error
export const NativeMap = Map
export const NativeSet = Set
export const Bytes = Uint8Array

/** A map without a prototype's say: keys are numbers or strings. */
export class Table<V> {
  readonly #map: Map<number | string, V> = new Map()
  size = 0

  get(key: number | string): V | undefined {
    return mapGet(this.#map, key) as V | undefined
  }

  set(key: number | string, value: V): void {
    if (!mapHas(this.#map, key)) this.size++
    mapSet(this.#map, key, value)
  }

  take(key: number | string): V | undefined {
    const found = this.get(key)
    if (mapDelete(this.#map, key)) this.size--
    return found
  }

  each(visit: (value: V, key: number | string) => void): void {
    eachOfMap(this.#map, visit as never)
  }
}

const mapGet = free(Map.prototype.get)
const mapHas = free(Map.prototype.has)
export const mapSet = free(Map.prototype.set)
export const setAdd = free(Set.prototype.add)
const mapDelete = free(Map.prototype.delete)
