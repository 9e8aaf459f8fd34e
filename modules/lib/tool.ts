/** `tool()` gives a tool's `run` the types of its parameters. It returns what it was given. */
import type { ZodType } from 'zod'
import type { Tool } from '../contracts/tool.ts'

export const tool = <P extends ZodType>(definition: Tool<P>): Tool<P> => definition
