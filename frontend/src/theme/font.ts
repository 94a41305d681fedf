// The host's typeface: a frame does not inherit the fonts that TensorBoard brings along.

const FAMILY = "Roboto";

/** Declares in `document` the faces of Roboto that the host's style sheets declare. */
export function adoptFont(host: Window, document: Document): void {
  if (host.document === document || isMissing(host)) return;
  const rules = [...host.document.styleSheets].flatMap(facesOf);
  if (rules.length === 0) return;
  const style = document.createElement("style");
  style.textContent = rules.join("\n");
  document.head.append(style);
}

/** Below a path prefix TensorBoard does not find its own fonts; asking again would not help. */
function isMissing(host: Window): boolean {
  return [...host.document.fonts].some(
    (face) => face.family.includes(FAMILY) && face.status === "error",
  );
}

function facesOf(sheet: CSSStyleSheet): string[] {
  const base = sheet.href ?? sheet.ownerNode?.ownerDocument?.baseURI ?? "";
  try {
    return [...sheet.cssRules]
      .filter(isFace)
      .map((rule) => rule.cssText)
      .filter((text) => text.includes(FAMILY))
      .map((text) => absolute(text, base));
  } catch {
    // A sheet of another origin shows its rules to nobody.
    return [];
  }
}

/** By its name, since the host's classes are others than ours. Writing out all rules takes long. */
function isFace(rule: CSSRule): boolean {
  return Object.prototype.toString.call(rule) === "[object CSSFontFaceRule]";
}

/** The addresses in a rule hold relative to its sheet, and our document lies elsewhere. */
function absolute(rule: string, base: string): string {
  return rule.replace(/url\("([^"]+)"\)/g, (_, address) => `url("${new URL(address, base)}")`);
}
