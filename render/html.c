#include "render/html.h"

#include <stdio.h>

static const char STYLE[] =
    "html{background:%BG;color:%INK;font:13px/1.45 Inter,'DejaVu Sans',sans-serif}\n"
    "body{margin:24px auto;max-width:1200px;padding:0 16px}\n"
    "svg{display:block;max-width:100%;height:auto;margin:0 auto}\n"
    "nav{display:flex;flex-wrap:wrap;gap:8px;margin:0 0 16px}\n"
    "button{font:inherit;color:inherit;background:none;border:1px solid %LINE;border-radius:6px;"
    "padding:4px 12px;cursor:pointer}\n"
    "button[aria-pressed=true]{border-color:%ACCENT;color:%ACCENT;font-weight:600}\n"
    "#tip{position:fixed;pointer-events:none;background:%PANEL;color:%INK;border:1px solid %LINE;"
    "border-radius:6px;padding:4px 10px;max-width:60ch;overflow-wrap:anywhere}\n"
    "[hidden]{display:none!important}\n"
    "[data-role=d],[data-role=c]{transition:opacity .12s}\n"
    "@media print{nav,#tip{display:none}}\n";

static const char SCRIPT[] =
    "'use strict';\n"
    "const tip=document.getElementById('tip'),accent='%ACCENT';let locked=null;\n"
    "const pick=e=>e.dataset.pick.split(' ').map(Number);\n"
    "const agree=(a,b)=>a.every((x,i)=>x<0||b[i]<0||x===b[i]);\n"
    "const share=(a,b)=>a.some((x,i)=>x>=0&&x===b[i]);\n"
    "const titles=new Map();\n"
    "document.querySelectorAll('svg [data-pick]>title').forEach(t=>{\n"
    "  titles.set(t.parentNode,t.textContent);t.remove()});\n"
    "function focus(svg,f){\n"
    "  svg.querySelectorAll('[data-pick]').forEach(e=>{\n"
    "    const p=pick(e),r=e.dataset.role,on=f&&agree(p,f)&&share(p,f);\n"
    "    if(r==='d')e.style.opacity=f&&!agree(p,f)?.25:'';\n"
    "    if(r==='l'&&e.tagName==='text')e.style.fill=on?accent:'';\n"
    "    if(r==='c'){e.style.stroke=on&&p.every((x,i)=>x<0||x===f[i])?accent:'';\n"
    "      e.style.strokeWidth=e.style.stroke?2:''}\n"
    "  })}\n"
    "document.querySelectorAll('svg').forEach(svg=>{\n"
    "  svg.addEventListener('pointermove',m=>{\n"
    "    const e=m.target.closest('[data-pick]');\n"
    "    tip.hidden=!e||!titles.get(e);\n"
    "    if(!tip.hidden){tip.textContent=titles.get(e);\n"
    "      tip.style.left=Math.min(m.clientX+14,innerWidth-tip.offsetWidth-8)+'px';\n"
    "      tip.style.top=m.clientY+18+'px'}\n"
    "    if(!locked)focus(svg,e&&pick(e))});\n"
    "  svg.addEventListener('pointerleave',()=>{tip.hidden=true;if(!locked)focus(svg,null)});\n"
    "  svg.addEventListener('click',m=>{const e=m.target.closest('[data-pick]');\n"
    "    locked=locked||!e?null:pick(e);focus(svg,locked)});\n"
    "  const names=new Map();\n"
    "  svg.querySelectorAll('text[data-role=l]').forEach(e=>{const p=pick(e);\n"
    "    if(p[0]>=0&&p[1]<0&&p[2]<0)names.set(p[0],e.textContent)});\n"
    "  if(names.size<2||!svg.querySelector('[data-role=d]'))return;\n"
    "  const nav=document.createElement('nav');svg.before(nav);\n"
    "  const show=s=>{svg.querySelectorAll('[data-role=d]').forEach(e=>{\n"
    "      e.toggleAttribute('hidden',s>=0&&pick(e)[0]!==s)});\n"
    "    nav.childNodes.forEach(b=>b.setAttribute('aria-pressed',b.value==s))};\n"
    "  [[-1,'all'],...names].forEach(([s,n])=>{const b=document.createElement('button');\n"
    "    b.textContent=n;b.value=s;b.onclick=()=>show(s);nav.append(b)});\n"
    "  show(-1)});\n"
    "const pages=[...document.querySelectorAll('section')],bar=document.getElementById('pages');\n"
    "const turn=i=>{pages.forEach((p,k)=>p.hidden=k!==i);\n"
    "  bar.childNodes.forEach((b,k)=>b.setAttribute('aria-pressed',k===i))};\n"
    "if(pages.length>1){pages.forEach((p,i)=>{const b=document.createElement('button');\n"
    "  b.textContent=p.dataset.name;b.onclick=()=>turn(i);bar.append(b)});turn(0)}\n";

static void put_color(StrBuf *out, Color c) {
    strbuf_printf(out, "#%02x%02x%02x", color_r(c), color_g(c), color_b(c));
}

/* The text with %NAMES of the theme's colours filled in. */
static void put_themed(StrBuf *out, const char *text, const Theme *theme) {
    const struct {
        const char *name;
        Color color;
    } names[] = {{"%BG", theme->paper},
                 {"%INK", theme->ink},
                 {"%LINE", theme->line},
                 {"%ACCENT", theme->kind == THEME_PRINT ? theme->positive : theme->accent},
                 {"%PANEL", theme->panel}};
    while (*text) {
        bool found = false;
        for (size_t i = 0; *text == '%' && i < sizeof names / sizeof *names && !found; i++) {
            if (!str_starts(str(text), names[i].name)) continue;
            put_color(out, names[i].color);
            text += strlen(names[i].name);
            found = true;
        }
        if (!found) strbuf_putc(out, *text++);
    }
}

void html_write(const Figure *const *figures, const char *const *names, int n,
                const SvgOptions *options, StrBuf *out) {
    const Theme *theme = figure_theme(figures[0]);
    strbuf_puts(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    svg_escape(figure_title(figures[0]), out);
    strbuf_puts(out, "</title>\n<style>\n");
    put_themed(out, STYLE, theme);
    strbuf_puts(out, "</style>\n</head>\n<body>\n<nav id=\"pages\"></nav>\n");
    for (int i = 0; i < n; i++) {
        char prefix[32] = "";
        SvgOptions svg = *options;
        svg.fragment = true;
        if (n > 1) {
            snprintf(prefix, sizeof prefix, "f%d-", i);
            svg.prefix = prefix;
        }
        if (i > 0) svg.spec = (Str){0};
        strbuf_puts(out, "<section data-name=\"");
        svg_escape(str(names[i]), out);
        strbuf_puts(out, "\">\n");
        svg_write(figures[i], &svg, out);
        strbuf_puts(out, "</section>\n");
    }
    strbuf_puts(out, "<div id=\"tip\" hidden></div>\n<script>\n");
    put_themed(out, SCRIPT, theme);
    strbuf_puts(out, "</script>\n</body>\n</html>\n");
}
