/** Clearing and settlement: pacs.008 and pacs.009. The notation is that of `notation.ts`. */
export const settlementTypes = `
SettlementMethod1 = INDA INGA COVE CLRG
ClearingChannel2 = RTGS RTNS MPNS BOOK
Priority3 = URGT HIGH NORM
Settlement7 > SttlmMtd:SettlementMethod1 SttlmAcct?:Account38 ClrSys?:cd3 InstgRmbrsmntAgt?:Agent6 InstgRmbrsmntAgtAcct?:Account38
  InstdRmbrsmntAgt?:Agent6 InstdRmbrsmntAgtAcct?:Account38 ThrdRmbrsmntAgt?:Agent6 ThrdRmbrsmntAgtAcct?:Account38
PaymentType28 > InstrPrty?:Priority2 ClrChanl?:ClearingChannel2 SvcLvl*:cd4 LclInstrm?:cd35 CtgyPurp?:cd4
PaymentId7 > InstrId?:x35 EndToEndId:x35 TxId?:x35 UETR?:uuid ClrSysRef?:x35
TimeIndication1 > DbtDtTm?:dateTime CdtDtTm?:dateTime
TimeRequest2 > CLSTm?:time TillTm?:time FrTm?:time RjctTm?:time
Charges7 > Amt:amount Agt:Agent6
Instruction4 = PHOA TELA
NextInstruction1 > Cd?:Instruction4 InstrInf?:x140
Header93 > MsgId:x35 CreDtTm:dateTime BtchBookg?:boolean NbOfTxs:n15 CtrlSum?:decimal TtlIntrBkSttlmAmt?:settled IntrBkSttlmDt?:date
  SttlmInf:Settlement7 PmtTpInf?:PaymentType28 InstgAgt?:Agent6 InstdAgt?:Agent6
Transfer39 > PmtId:PaymentId7 PmtTpInf?:PaymentType28 IntrBkSttlmAmt:settled IntrBkSttlmDt?:date SttlmPrty?:Priority3
  SttlmTmIndctn?:TimeIndication1 SttlmTmReq?:TimeRequest2 AccptncDtTm?:dateTime PoolgAdjstmntDt?:date InstdAmt?:amount XchgRate?:baseRate
  ChrgBr:ChargeBearer1 ChrgsInf*:Charges7 PrvsInstgAgt1?:Agent6 PrvsInstgAgt1Acct?:Account38 PrvsInstgAgt2?:Agent6
  PrvsInstgAgt2Acct?:Account38 PrvsInstgAgt3?:Agent6 PrvsInstgAgt3Acct?:Account38 InstgAgt?:Agent6 InstdAgt?:Agent6 IntrmyAgt1?:Agent6
  IntrmyAgt1Acct?:Account38 IntrmyAgt2?:Agent6 IntrmyAgt2Acct?:Account38 IntrmyAgt3?:Agent6 IntrmyAgt3Acct?:Account38
  UltmtDbtr?:PartyId135 InitgPty?:PartyId135 Dbtr:PartyId135 DbtrAcct?:Account38 DbtrAgt:Agent6 DbtrAgtAcct?:Account38 CdtrAgt:Agent6
  CdtrAgtAcct?:Account38 Cdtr:PartyId135 CdtrAcct?:Account38 UltmtCdtr?:PartyId135 InstrForCdtrAgt*:CreditorInstruction1
  InstrForNxtAgt*:NextInstruction1 Purp?:cd4 RgltryRptg{0,10}:Regulatory3 Tax?:Tax8 RltdRmtInf{0,10}:Location7 RmtInf?:Remittance16
  SplmtryData*:SupplementaryData
CustomerTransfer8 > GrpHdr:Header93 CdtTrfTxInf+:Transfer39 SplmtryData*:SupplementaryData

RemittanceText2 > Ustrd*:x140
CoverTransfer37 > UltmtDbtr?:PartyId135 InitgPty?:PartyId135 Dbtr:PartyId135 DbtrAcct?:Account38 DbtrAgt:Agent6 DbtrAgtAcct?:Account38
  PrvsInstgAgt1?:Agent6 PrvsInstgAgt1Acct?:Account38 PrvsInstgAgt2?:Agent6 PrvsInstgAgt2Acct?:Account38 PrvsInstgAgt3?:Agent6
  PrvsInstgAgt3Acct?:Account38 IntrmyAgt1?:Agent6 IntrmyAgt1Acct?:Account38 IntrmyAgt2?:Agent6 IntrmyAgt2Acct?:Account38
  IntrmyAgt3?:Agent6 IntrmyAgt3Acct?:Account38 CdtrAgt:Agent6 CdtrAgtAcct?:Account38 Cdtr:PartyId135 CdtrAcct?:Account38
  UltmtCdtr?:PartyId135 InstrForCdtrAgt*:CreditorInstruction1 InstrForNxtAgt*:NextInstruction1 Tax?:Tax8 RmtInf?:Remittance16
  InstdAmt?:amount
Transfer36 > PmtId:PaymentId7 PmtTpInf?:PaymentType28 IntrBkSttlmAmt:settled IntrBkSttlmDt?:date SttlmPrty?:Priority3
  SttlmTmIndctn?:TimeIndication1 SttlmTmReq?:TimeRequest2 PrvsInstgAgt1?:Agent6 PrvsInstgAgt1Acct?:Account38 PrvsInstgAgt2?:Agent6
  PrvsInstgAgt2Acct?:Account38 PrvsInstgAgt3?:Agent6 PrvsInstgAgt3Acct?:Account38 InstgAgt?:Agent6 InstdAgt?:Agent6 IntrmyAgt1?:Agent6
  IntrmyAgt1Acct?:Account38 IntrmyAgt2?:Agent6 IntrmyAgt2Acct?:Account38 IntrmyAgt3?:Agent6 IntrmyAgt3Acct?:Account38 UltmtDbtr?:Agent6
  Dbtr:Agent6 DbtrAcct?:Account38 DbtrAgt?:Agent6 DbtrAgtAcct?:Account38 CdtrAgt?:Agent6 CdtrAgtAcct?:Account38 Cdtr:Agent6
  CdtrAcct?:Account38 UltmtCdtr?:Agent6 InstrForCdtrAgt*:CreditorInstruction2 InstrForNxtAgt*:NextInstruction1 Purp?:cd4
  RmtInf?:RemittanceText2 UndrlygCstmrCdtTrf?:CoverTransfer37 SplmtryData*:SupplementaryData
InstitutionTransfer8 > GrpHdr:Header93 CdtTrfTxInf+:Transfer36 SplmtryData*:SupplementaryData

Settlement11 < Settlement7 SttlmAcct:Account40 InstgRmbrsmntAgtAcct:Account40 InstdRmbrsmntAgtAcct:Account40 ThrdRmbrsmntAgtAcct:Account40
Transfer43 < Transfer39 ChrgsInf>MndtRltdInf?:CreditMandate1 InstrForCdtrAgt:CreditorInstruction3
CustomerTransfer9 < CustomerTransfer8 CdtTrfTxInf:Transfer43
CoverTransfer45 < CoverTransfer37 InstrForCdtrAgt:CreditorInstruction3
Transfer44 < Transfer36 InstrForCdtrAgt:CreditorInstruction3 UndrlygCstmrCdtTrf:CoverTransfer45
InstitutionTransfer9 < InstitutionTransfer8 CdtTrfTxInf:Transfer44
PaymentType21 < PaymentType28 SvcLvl?:cd4
PaymentId3 > InstrId?:x35 EndToEndId:x35 TxId:x35 ClrSysRef?:x35
Header33 > MsgId:x35 CreDtTm:dateTime BtchBookg?:boolean NbOfTxs:n15 CtrlSum?:decimal TtlIntrBkSttlmAmt?:settled IntrBkSttlmDt?:date
  SttlmInf:Settlement13 PmtTpInf?:PaymentType21 InstgAgt?:Agent4 InstdAgt?:Agent4
Transfer11 > PmtId:PaymentId3 PmtTpInf?:PaymentType21 IntrBkSttlmAmt:settled IntrBkSttlmDt?:date SttlmPrty?:Priority3
  SttlmTmIndctn?:TimeIndication1 SttlmTmReq?:TimeRequest2 AccptncDtTm?:dateTime PoolgAdjstmntDt?:date InstdAmt?:amount XchgRate?:baseRate
  ChrgBr:ChargeBearer1 ChrgsInf*:Charges5 PrvsInstgAgt?:Agent4 PrvsInstgAgtAcct?:Account16 InstgAgt?:Agent4 InstdAgt?:Agent4
  IntrmyAgt1?:Agent4 IntrmyAgt1Acct?:Account16 IntrmyAgt2?:Agent4 IntrmyAgt2Acct?:Account16 IntrmyAgt3?:Agent4 IntrmyAgt3Acct?:Account16
  UltmtDbtr?:PartyId32 InitgPty?:PartyId32 Dbtr:PartyId32 DbtrAcct?:Account16 DbtrAgt:Agent4 DbtrAgtAcct?:Account16 CdtrAgt:Agent4
  CdtrAgtAcct?:Account16 Cdtr:PartyId32 CdtrAcct?:Account16 UltmtCdtr?:PartyId32 InstrForCdtrAgt*:CreditorInstruction1
  InstrForNxtAgt*:NextInstruction1 Purp?:cd4 RgltryRptg{0,10}:Regulatory3 RltdRmtInf{0,10}:Location2 RmtInf?:Remittance5
CustomerTransfer2 > GrpHdr:Header33 CdtTrfTxInf+:Transfer11
Header96 < Header93 SttlmInf:Settlement11
Transfer50 < Transfer43 PrvsInstgAgt1Acct:Account40 PrvsInstgAgt2Acct:Account40 PrvsInstgAgt3Acct:Account40 IntrmyAgt1Acct:Account40
  IntrmyAgt2Acct:Account40 IntrmyAgt3Acct:Account40 DbtrAcct:Account40 DbtrAgtAcct:Account40 CdtrAgtAcct:Account40 CdtrAcct:Account40
  Tax:Tax10 RmtInf:Remittance21
CustomerTransfer10 < CustomerTransfer9 GrpHdr:Header96 CdtTrfTxInf:Transfer50
CoverTransfer52 < CoverTransfer45 DbtrAcct:Account40 DbtrAgtAcct:Account40 PrvsInstgAgt1Acct:Account40 PrvsInstgAgt2Acct:Account40
  PrvsInstgAgt3Acct:Account40 IntrmyAgt1Acct:Account40 IntrmyAgt2Acct:Account40 IntrmyAgt3Acct:Account40 CdtrAgtAcct:Account40
  CdtrAcct:Account40 Tax:Tax10 RmtInf:Remittance21
Transfer56 < Transfer44 PrvsInstgAgt1Acct:Account40 PrvsInstgAgt2Acct:Account40 PrvsInstgAgt3Acct:Account40 IntrmyAgt1Acct:Account40
  IntrmyAgt2Acct:Account40 IntrmyAgt3Acct:Account40 DbtrAcct:Account40 DbtrAgtAcct:Account40 CdtrAgtAcct:Account40 CdtrAcct:Account40
  UndrlygCstmrCdtTrf:CoverTransfer52
InstitutionTransfer10 < InstitutionTransfer9 GrpHdr:Header96 CdtTrfTxInf:Transfer56

Charges12 < Charges7 Agt>Tp?:ChargeType3
Charges16 < Charges12 Agt:Agent8
Settlement15 < Settlement11 InstgRmbrsmntAgt:Agent8 InstdRmbrsmntAgt:Agent8 ThrdRmbrsmntAgt:Agent8
Header113 < Header96 SttlmInf:Settlement15 InstgAgt:Agent8 InstdAgt:Agent8
Transfer64 < Transfer50 ChrgsInf:Charges16 PrvsInstgAgt1:Agent8 PrvsInstgAgt2:Agent8 PrvsInstgAgt3:Agent8 InstgAgt:Agent8 InstdAgt:Agent8
  IntrmyAgt1:Agent8 IntrmyAgt2:Agent8 IntrmyAgt3:Agent8 UltmtDbtr:PartyId272 InitgPty:PartyId272 Dbtr:PartyId272 DbtrAgt:Agent8
  CdtrAgt:Agent8 Cdtr:PartyId272 UltmtCdtr:PartyId272 Tax:TaxData1 RltdRmtInf:Location8 RmtInf:Remittance22
CustomerTransfer12 < CustomerTransfer10 GrpHdr:Header113 CdtTrfTxInf:Transfer64
CoverTransfer63 < CoverTransfer52 UltmtDbtr:PartyId272 InitgPty:PartyId272 Dbtr:PartyId272 DbtrAgt:Agent8 PrvsInstgAgt1:Agent8
  PrvsInstgAgt2:Agent8 PrvsInstgAgt3:Agent8 IntrmyAgt1:Agent8 IntrmyAgt2:Agent8 IntrmyAgt3:Agent8 CdtrAgt:Agent8 Cdtr:PartyId272
  UltmtCdtr:PartyId272 Tax:TaxData1 RmtInf:Remittance22
RelatedReference74 | SctiesSttlmTxId:x35 IntraPosMvmntId:x35 IntraBalMvmntId:x35 AcctSvcrTxId:x35 MktInfrstrctrTxId:x35
  CtrPtyMktInfrstrctrTxId:x35 PoolId:x35 CmonId:x35 TradId:x52 OthrTxId:x35
Allocation1 > Amt:amount CdtDbtInd:CreditDebit Acct:Account40 Purp:cd4 Ref:x35 RltdRefs*:RelatedReference74
Transfer62 < Transfer56 PrvsInstgAgt1:Agent8 PrvsInstgAgt2:Agent8 PrvsInstgAgt3:Agent8 InstgAgt:Agent8 InstdAgt:Agent8 IntrmyAgt1:Agent8
  IntrmyAgt2:Agent8 IntrmyAgt3:Agent8 UltmtDbtr:Agent8 Dbtr:Agent8 DbtrAgt:Agent8 CdtrAgt:Agent8 Cdtr:Agent8 UltmtCdtr:Agent8
  RmtInf>UndrlygAllcn*:Allocation1 UndrlygCstmrCdtTrf:CoverTransfer63
InstitutionTransfer11 < InstitutionTransfer10 GrpHdr:Header113 CdtTrfTxInf:Transfer62
`;
