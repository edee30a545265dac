/** Cluster ids are drawn, and directory ids made of them. */
export function withoutIds(text: string): string {
  return text.replaceAll(/(?<![\w-])[\w-]{22}(?![\w-])/g, 'ID')
}
