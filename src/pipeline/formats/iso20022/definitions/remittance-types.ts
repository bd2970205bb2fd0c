/** Remittance information and taxes. The notation is that of `notation.ts`. */
export const remittanceTypes = `
DocumentType3 = RADM RPIN FXDR DISP PUOR SCOR
DocumentType5 = MSIN CNFA DNFA CINV CREN DEBN HIRI SBIN CMCN SOAC DISP BOLD VCHR AROI TSUT
DocumentType6 = MSIN CNFA DNFA CINV CREN DEBN HIRI SBIN CMCN SOAC DISP BOLD VCHR AROI TSUT PUOR
ReferenceCode1 | Cd:DocumentType3 Prtry:x35
ReferenceType2 > CdOrPrtry:ReferenceCode1 Issr?:x35
Reference2 > Tp?:ReferenceType2 Ref?:x35
DocumentCode1 | Cd:DocumentType5 Prtry:x35
DocumentCode3 | Cd:DocumentType6 Prtry:x35
ReferredType2 > CdOrPrtry:DocumentCode1 Issr?:x35
ReferredType4 > CdOrPrtry:DocumentCode3 Issr?:x35
Referred3 > Tp?:ReferredType2 Nb?:x35 RltdDt?:date
LineType1 > CdOrPrtry:cd4 Issr?:x35
LineId1 > Tp?:LineType1 Nb?:x35 RltdDt?:date
Line1 > Id+:LineId1 Desc?:x2048 Amt?:RemittanceAmount2
Referred7 > Tp?:ReferredType4 Nb?:x35 RltdDt?:date LineDtls*:Line1
Referred6 < Referred3 Tp:ReferredType4
Adjustment1 > Amt:amount CdtDbtInd?:CreditDebit Rsn?:x4 AddtlInf?:x140
AmountAndType1 > Tp?:cd4 Amt:amount
RemittanceAmount1 > DuePyblAmt?:amount DscntApldAmt?:amount CdtNoteAmt?:amount TaxAmt?:amount AdjstmntAmtAndRsn*:Adjustment1
  RmtdAmt?:amount
RemittanceAmount2 < RemittanceAmount1 DscntApldAmt*:AmountAndType1 TaxAmt*:AmountAndType1
Structured7 > RfrdDocInf*:Referred3 RfrdDocAmt?:RemittanceAmount1 CdtrRefInf?:Reference2 Invcr?:PartyId32 Invcee?:PartyId32
  AddtlRmtInf{0,3}:x140
Structured9 < Structured7 RfrdDocAmt:RemittanceAmount2 Invcr:PartyId43 Invcee:PartyId43
Structured13 < Structured9 RfrdDocInf:Referred7 Invcee>TaxRmt?:Tax4 TaxRmt>GrnshmtRmt?:Garnishment1
Structured12 < Structured13 RfrdDocInf:Referred6
Structured16 < Structured13 Invcr:PartyId135 Invcee:PartyId135 TaxRmt:Tax7 GrnshmtRmt:Garnishment3
GarnishmentType1 > CdOrPrtry:cd4 Issr?:x35
Garnishment1 > Tp:GarnishmentType1 Grnshee?:PartyId43 GrnshmtAdmstr?:PartyId43 RefNb?:x140 Dt?:date RmtdAmt?:amount
  FmlyMdclInsrncInd?:boolean MplyeeTermntnInd?:boolean
Garnishment3 < Garnishment1 Grnshee:PartyId135 GrnshmtAdmstr:PartyId135
Remittance5 > Ustrd*:x140 Strd*:Structured7
Remittance7 > Ustrd*:x140 Strd*:Structured9
Remittance10 > Ustrd*:x140 Strd*:Structured12
Remittance11 > Ustrd*:x140 Strd*:Structured13
Remittance16 > Ustrd*:x140 Strd*:Structured16
LocationMethod2 = FAXI EDIC URID EMAL POST SMSM
Location2 > RmtId?:x35 RmtLctnMtd?:LocationMethod2 RmtLctnElctrncAdr?:x2048 RmtLctnPstlAdr?:NameAndAddress10
LocationDetails1 > Mtd:LocationMethod2 ElctrncAdr?:x2048 PstlAdr?:NameAndAddress10
LocationData1 < LocationDetails1 PstlAdr:NameAndAddress16
LocationData2 < LocationDetails1 PstlAdr:NameAndAddress18
Location8 > RmtId?:x35 RmtLctnDtls*:LocationData2
Location4 > RmtId?:x35 RmtLctnDtls*:LocationDetails1
Location7 > RmtId?:x35 RmtLctnDtls*:LocationData1

TaxPeriodCode = MM01 MM02 MM03 MM04 MM05 MM06 MM07 MM08 MM09 MM10 MM11 MM12 QTR1 QTR2 QTR3 QTR4 HLF1 HLF2
TaxAuthorisation1 > Titl?:x35 Nm?:x140
TaxParty1 > TaxId?:x35 RegnId?:x35 TaxTp?:x35
TaxParty2 < TaxParty1 TaxTp>Authstn?:TaxAuthorisation1
TaxPeriod1 > Yr?:date Tp?:TaxPeriodCode FrToDt?:DatePeriod
TaxDetails1 > Prd?:TaxPeriod1 Amt:amount
TaxAmount1 > Rate?:rate TaxblBaseAmt?:amount TtlAmt?:amount Dtls*:TaxDetails1
TaxRecord1 > Tp?:x35 Ctgy?:x35 CtgyDtls?:x35 DbtrSts?:x35 CertId?:x35 FrmsCd?:x35 Prd?:TaxPeriod1 TaxAmt?:TaxAmount1 AddtlInf?:x140
Tax3 > Cdtr?:TaxParty1 Dbtr?:TaxParty2 AdmstnZn?:x35 RefNb?:x140 Mtd?:x35 TtlTaxblBaseAmt?:amount TtlTaxAmt?:amount Dt?:date SeqNb?:number
  Rcrd*:TaxRecord1
Tax4 > Cdtr?:TaxParty1 Dbtr?:TaxParty2 UltmtDbtr?:TaxParty2 AdmstnZone?:x35 RefNb?:x140 Mtd?:x35 TtlTaxblBaseAmt?:amount TtlTaxAmt?:amount
  Dt?:date SeqNb?:number Rcrd*:TaxRecord1
Tax7 < Tax4
TaxPeriod3 < TaxPeriod1 Yr:gYear
TaxDetails3 < TaxDetails1 Prd:TaxPeriod3
TaxAmount3 < TaxAmount1 Dtls:TaxDetails3
TaxRecord3 < TaxRecord1 Prd:TaxPeriod3 TaxAmt:TaxAmount3
TaxData1 < Tax4 Rcrd:TaxRecord3
Tax10 < Tax8 Rcrd:TaxRecord3
Structured17 < Structured16 TaxRmt:TaxData1
Remittance21 > Ustrd*:x140 Strd*:Structured17
DateKind2 > Tp:cd4 Dt:date
DocumentAmount1 > Tp:cd4 Amt:amount
RemittanceAmount4 > RmtAmtAndTp*:DocumentAmount1 AdjstmntAmtAndRsn*:Adjustment1
DocumentType1 > CdOrPrtry:cd4 Issr?:x35
Line2 > Id+:LineId1 Desc?:x2048 Amt?:RemittanceAmount4
Referred8 > Tp?:DocumentType1 Nb?:x35 RltdDt?:DateKind2 LineDtls*:Line2
Reference3 > Tp?:DocumentType1 Ref?:x35
Garnishment4 < Garnishment3 Grnshee:PartyId272 GrnshmtAdmstr:PartyId272
Structured18 < Structured17 RfrdDocInf:Referred8 RfrdDocAmt:RemittanceAmount4 CdtrRefInf:Reference3 Invcr:PartyId272 Invcee:PartyId272
  GrnshmtRmt:Garnishment4
Remittance22 > Ustrd*:x140 Strd*:Structured18
Tax8 > Cdtr?:TaxParty1 Dbtr?:TaxParty2 AdmstnZone?:x35 RefNb?:x140 Mtd?:x35 TtlTaxblBaseAmt?:amount TtlTaxAmt?:amount Dt?:date
  SeqNb?:number Rcrd*:TaxRecord1
`;
