import{a}from"./chunk-PH7KAYHA.js";import"./chunk-2SESVSSY.js";import"./chunk-AFIMOZYF.js";import"./chunk-UF6JPII4.js";import"./chunk-O3ZSZQMP.js";export{a as UsherTile};
