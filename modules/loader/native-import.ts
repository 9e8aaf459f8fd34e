/** Node's own `import()`, for packages and built-ins, by URL and never by bare name. What it loads stays for ever. */
export const nativeImport = (url: string): Promise<unknown> => import(/* @vite-ignore */ url)
