import{a as k}from"./chunk-FQCKI3SK.js";import{a as u,b as f}from"./chunk-CBESY3PL.js";import"./chunk-7AMEBCG7.js";import{a as $,b as v,c as x}from"./chunk-6OMUL3W3.js";import{b as i}from"./chunk-UF6JPII4.js";import{h as w,i as a,n as p}from"./chunk-4FXEY6MX.js";import"./chunk-BB5YNRZ7.js";var E=v(`${k}usher-pivot{overflow:auto;scrollbar-width:thin}usher-pivot tbody tr:last-child>*{border-bottom-color:transparent}
usher-pivot tbody th{position:sticky;inset-inline-start:0;background:var(--u-surface)}usher-pivot thead th:first-child{inset-inline-start:0;z-index:2}`),b=class extends ${sheet=E;render(){let{chart:l,rows:c,formats:d,title:S}=this.view,{x:s="",series:e,y:h=[]}=l,m=u(c,s),y=e?u(c,e):[void 0],M=f(l,s,m),J=e?f(l,e,y):void 0,N=new Map(c.map(t=>[JSON.stringify([a(t,s),e&&a(t,e)]),t])),g=y.flatMap(t=>h.map(o=>({value:t,path:o}))),O=new Map(h.map(t=>[t,c.map(o=>a(o,t))])),z=({value:t,path:o})=>{let r=p(o);if(!e)return r;let n=d.category(e,t,J);return h.length>1?`${n}, ${r}`:n};return this.tabIndex=0,this.role="region",this.ariaLabel=S||w.rows(String(m.length)),i`<table>
      <thead><tr><th scope="col">${p(s)}</th>${g.map(t=>i`<th scope="col" class="num">${z(t)}</th>`)}</tr></thead>
      <tbody>${m.map(t=>i`<tr>
          <th scope="row">${d.category(s,t,M)}</th>
          ${g.map(({value:o,path:r})=>{let n=N.get(JSON.stringify([t,e&&o]));return i`<td class="num">${d.text(r,n&&a(n,r),O.get(r))}</td>`})}
        </tr>`)}</tbody>
    </table>`}};x("usher-pivot",b);
