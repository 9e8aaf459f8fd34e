/** The names a pattern of JavaScript binds: of parameters, and of what stands left of a declaration's `=`. Pure. */
export interface Pattern {
  type: string
  name?: string
  properties?: { value?: Pattern; argument?: Pattern }[]
  elements?: (Pattern | null)[]
  left?: Pattern
  argument?: Pattern
}

export function boundNames(pattern: Pattern): string[] {
  const { name, properties = [], elements = [], left, argument } = pattern
  const inner = [...properties.map((one) => one.value ?? one.argument), ...elements, left, argument]
  return [
    ...(pattern.type === 'Identifier' && name !== undefined ? [name] : []),
    ...inner.flatMap((one) => (one === undefined || one === null ? [] : boundNames(one))),
  ]
}
