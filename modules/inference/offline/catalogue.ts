/**
 * The tools as the prompt names them, one a line: `- name(key: type, key?: type): description`. The planner knows only
 * what stands in the text it was given, as any model does.
 */
export interface ListedTool {
  name: string
  description: string
  params: { name: string; type: string; required: boolean }[]
}

const LINE = /^- ([a-z0-9_]+)\((.*?)\): (.+)$/

export function readCatalogue(prompt: string): ListedTool[] {
  const tools: ListedTool[] = []
  for (const line of prompt.split('\n')) {
    const [, name, params, description] = LINE.exec(line) ?? []
    if (name === undefined || params === undefined || description === undefined) continue
    tools.push({ name, description, params: readParams(params) })
  }
  return tools
}

function readParams(text: string): ListedTool['params'] {
  return text
    .split(/, (?=\w+\??: )/)
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf(': ')
      const key = part.slice(0, at)
      return { name: key.replace(/\?$/, ''), type: part.slice(at + 2), required: !key.endsWith('?') }
    })
}

/** An instruction every model follows, and this planner too: `Begin every answer with: …`, `End every answer with: …`. */
export function readFrame(prompt: string): { begin: string; end: string } {
  const find = (word: string): string =>
    new RegExp(`^${word} every answer with:[ \\t]*(.+)$`, 'mi').exec(prompt)?.[1]?.trim() ?? ''
  return { begin: find('Begin'), end: find('End') }
}
