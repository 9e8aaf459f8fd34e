/**
 * How a bridge to an MCP server and our own MCP server know each other. Two systems that bridge each other would hand
 * the tools of bridges back and forth for ever, each time under a longer name: such tools are not shown to a bridge.
 */
export const BRIDGE_CLIENT = 'meta-machine bridge'
/** where its source stands, in a checkout, in the package and in a root */
export const BRIDGE_SOURCE = /(^|\/)modules\/mcp\/bridge\/index\.[jt]s$/
