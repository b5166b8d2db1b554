import{a as k}from"./chunk-WOEWRKKC.js";import{a as u,b as f}from"./chunk-D3IGS5UQ.js";import"./chunk-E5IKS4SR.js";import{a as p}from"./chunk-CH3BDEG3.js";import{a as w,b as a}from"./chunk-BVNKAVU7.js";import"./chunk-BVG7GADD.js";import{a as $,b as v,c as x}from"./chunk-6OMUL3W3.js";import{b as i}from"./chunk-UF6JPII4.js";var E=v(`${k}usher-pivot{overflow:auto;scrollbar-width:thin}usher-pivot tbody tr:last-child>*{border-bottom-color:transparent}
usher-pivot tbody th{position:sticky;inset-inline-start:0;background:var(--u-surface)}usher-pivot thead th:first-child{inset-inline-start:0;z-index:2}`),b=class extends ${sheet=E;render(){let{chart:l,rows:c,formats:m,title:S}=this.view,{x:s="",series:e,y:d=[]}=l,h=u(c,s),y=e?u(c,e):[void 0],M=f(l,s,h),J=e?f(l,e,y):void 0,N=new Map(c.map(t=>[JSON.stringify([a(t,s),e&&a(t,e)]),t])),g=y.flatMap(t=>d.map(o=>({value:t,path:o}))),O=new Map(d.map(t=>[t,c.map(o=>a(o,t))])),z=({value:t,path:o})=>{let r=p(o);if(!e)return r;let n=m.category(e,t,J);return d.length>1?`${n}, ${r}`:n};return this.tabIndex=0,this.role="region",this.ariaLabel=S||w.rows(String(h.length)),i`<table>
      <thead><tr><th scope="col">${p(s)}</th>${g.map(t=>i`<th scope="col" class="num">${z(t)}</th>`)}</tr></thead>
      <tbody>${h.map(t=>i`<tr>
          <th scope="row">${m.category(s,t,M)}</th>
          ${g.map(({value:o,path:r})=>{let n=N.get(JSON.stringify([t,e&&o]));return i`<td class="num">${m.text(r,n&&a(n,r),O.get(r))}</td>`})}
        </tr>`)}</tbody>
    </table>`}};x("usher-pivot",b);
